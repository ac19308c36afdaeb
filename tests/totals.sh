#!/bin/sh
# totals.sh - one line for each of the Check programs that ran, and their sum.
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
