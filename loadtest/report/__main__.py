"""Makes the report again from results: python3 loadtest/report RESULTS.json --html FILE --svg FILE --markdown"""

import argparse
import json
import os
import sys

if not __package__:                          # run as a folder, whose modules must not be mistaken for Python's own
    sys.dont_write_bytecode = True
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from report import page, picture, table  # noqa: E402


def main():
    p = argparse.ArgumentParser(prog="loadtest/report", description="Makes the report of a load test from its results.")
    p.add_argument("results", help="the JSON file that the load test wrote")
    p.add_argument("--html", metavar="FILE", help="write the page there")
    p.add_argument("--svg", metavar="FILE", help="write the picture for a document there")
    p.add_argument("--markdown", action="store_true", help="print its tables in Markdown")
    options = p.parse_args()
    if not (options.html or options.svg or options.markdown):
        p.error("nothing to do: give --html, --svg or --markdown")
    try:
        with open(options.results, encoding="utf-8") as f:
            results = json.load(f)
        if options.html:
            page.write(results, options.html)
        if options.svg:
            picture.write(results, options.svg)
    except (OSError, ValueError) as e:
        sys.exit(f"loadtest/report: {e}")
    if options.markdown:
        sys.stdout.write(table.markdown(results))


main()
