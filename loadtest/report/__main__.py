"""Makes the report again from results: python3 loadtest/report RESULTS.json --html FILE --svg FILE --markdown

With --publish the tables and the picture of the documents, and the table that is built into the program, are those of these
results; they may be of loadtest/bench, too."""

import argparse
import json
import os
import sys

if not __package__:                          # run as a folder, whose modules must not be mistaken for Python's own
    sys.dont_write_bytecode = True
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from report import page, picture, publish, table  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    p = argparse.ArgumentParser(prog="loadtest/report", description="Makes the report of a load test from its results.")
    p.add_argument("results", help="the JSON file that the load test wrote")
    p.add_argument("--html", metavar="FILE", help="write the page there")
    p.add_argument("--svg", metavar="FILE", help="write the picture for a document there")
    p.add_argument("--markdown", action="store_true", help="print its tables in Markdown")
    p.add_argument("--publish", metavar="FOLDER", nargs="?", const=ROOT, help="in this tree, or in that of FOLDER")
    options = p.parse_args()
    if not (options.html or options.svg or options.markdown or options.publish):
        p.error("nothing to do: give --html, --svg, --markdown or --publish")
    try:
        with open(options.results, encoding="utf-8") as f:
            results = json.load(f)
        if options.html:
            page.write(results, options.html)
        if options.svg:
            picture.write(results, options.svg)
        if options.publish:
            (publish.write_bench if "rows" in results else publish.write)(options.publish, results)
    except (OSError, ValueError) as e:
        sys.exit(f"loadtest/report: {e}")
    if options.markdown:
        sys.stdout.write(table.markdown(results))


main()
