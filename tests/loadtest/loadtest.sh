#!/bin/sh
# loadtest.sh - the load test itself: it measures, it reports, and it fails when an answer is wrong.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
quietly="--json $folder/results.json --report $folder/report.html --picture $folder/report.svg"

echo '  TEST    the report'
python3 tests/loadtest/report_test.py 2>"$folder/said" || { cat "$folder/said"; exit 1; }

echo '  TEST    the instruments'
make -s -C loadtest BUILD="$PWD/build/loadtest"
python3 tests/loadtest/bench_test.py 2>"$folder/said" || { cat "$folder/said"; exit 1; }
for test in harness_test websockets_test; do
    python3 "tests/loadtest/$test.py" build/loadtest 2>"$folder/said" || { cat "$folder/said"; exit 1; }
done

echo '  TEST    a quick load test'
# shellcheck disable=SC2086 # the options are meant to be split
loadtest/run --quick $quietly >"$folder/said"
for file in results.json report.html report.svg; do
    test -s "$folder/$file" || { echo "there is no $file"; exit 1; }
done
for word in 'tenk, threads' 'Up, and down again' 'SQLite, 256 connections' 'PostgreSQL, 256 connections'; do
    grep -q "$word" "$folder/report.html" || { echo "the report does not have: $word"; exit 1; }
done

echo '  TEST    a load test in which 5 % of the answers are errors'
# shellcheck disable=SC2086
if loadtest/run --quick --only plaintext --connections 100 --break 5 $quietly >"$folder/said" 2>&1; then
    echo 'it did not fail'
    exit 1
fi
grep -q 'FAILED: No wait (GET /plaintext), 100 connections, tenk, async: .* not 2xx' "$folder/said" ||
    { echo 'it does not say so:'; cat "$folder/said"; exit 1; }
