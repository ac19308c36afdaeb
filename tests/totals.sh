#!/bin/sh
# totals.sh - one line for each of the Check programs that ran, and their sum; then the tests that were skipped, and what
# for. One that could have run here is an error.
cd "$(dirname "$0")/../build/totals" || exit 1
grep -H 'Checks:' -- * | tr -d ',%' | awk -F: '
{
    split($0, word, /[: ]+/)
    printf "  %-28s %5d checks  %d failures  %d errors\n", word[1], word[4], word[6], word[8]
    checks += word[4]; failures += word[6]; errors += word[8]
}
END {
    good = checks - failures - errors
    printf "All together:\n%d%%: Checks: %d, Failures: %d, Errors: %d\n", checks ? 100 * good / checks : 0, checks, failures, errors
}'
cat -- *.skipped 2>/dev/null | sort | uniq -c | {
    could=0
    while read -r times need test; do
        said='this machine does not give that'
        if ../../tests/support/needs.py "$need"; then
            said='it could have run: this machine gives that'
            could=1
        fi
        echo "Skipped $times times: $test needs $need ($said)"
    done
    exit $could
}
