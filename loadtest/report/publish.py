"""What stands in the tree of a run: the table that is built into the program, the picture, and the tables of the documents.

A document has them between <!-- measured: NAME --> and <!-- end -->; what stands there is replaced."""

import datetime
import json
import os
import re

from . import bench, figure, picture, table, why
from .markup import join, tag
from .results import Results, number

TABLE = "handlers/gallery/workload_table"
DOCUMENT, README = "docs/performance.md", "README.md"
CHART = "loadtest/report.svg"
HEAD = ("Workload", "Best model", "Why", "async", "threads")
COUNTS = {1: "one round", 2: "two rounds", 3: "three rounds"}


def write(root, data):
    """Files of a run of loadtest/run."""
    results = Results(data)
    if not results.measured():
        raise ValueError("there is nothing in it to publish")
    put(f"{root}/{TABLE}.html", fragment(results))
    put(f"{root}/{TABLE}.json", as_json(results))
    picture.write(data, f"{root}/{CHART}")
    parts = {"workloads": table.workloads(results), "workloads made": made(results), "overload": table.beyond(results)}
    if results.overload:
        parts["overload made"] = f"Of {day(results.made)}."
    replace(f"{root}/{DOCUMENT}", {name: text for name, text in parts.items() if text})
    put(f"{root}/{README}", re.sub(r"Made on \d+ \w+ \d{4}", f"Made on {day(results.made)}", take(f"{root}/{README}"), count=1))


def write_bench(root, data):
    replace(f"{root}/{DOCUMENT}", {"bench": bench.markdown(data), "bench made": bench.made(data, day(data["made"]))})


def take(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def put(path, text):
    with open(f"{path}.new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(f"{path}.new", path)


def replace(path, parts):
    text = take(path)
    for name, part in parts.items():
        begin, end = f"<!-- measured: {name} -->\n", "<!-- end -->\n"
        if text.count(begin) != 1:
            raise ValueError(f"{path} has no place, or more than one, for {name}")
        before, _, rest = text.partition(begin)
        text = before + begin + part.rstrip("\n") + "\n" + end + rest.partition(end)[2]
    put(path, text)


def day(made):
    date = datetime.datetime.fromisoformat(str(made.get("date")))
    return f"{date.day} {date:%B %Y}"


def system(machine):
    kernel = re.match(r"\d+\.\d+", str(machine.get("kernel"))) or ["unknown"]
    return f"Linux {kernel[0]}, {str(machine.get('os')).split(' (')[0]}"


def made(results, wide=110):
    """When, how and on what, in words."""
    minutes, rounds = round((number(results.made.get("seconds")) or 0) / 60), results.made.get("rounds")
    postgres = str(results.versions.get("postgresql", "")).split(".")[0]
    cpu = str(results.machine.get("cpu")).replace("(R)", "").replace(" Processor", "")
    said = (f"Made by `{results.made.get('command')}` on {day(results.made)}: one process of each on one core of an {cpu}, "
            f"clients and PostgreSQL {postgres} on another ({system(results.machine)}), {COUNTS.get(rounds, f'{rounds} rounds')} in turn, in {minutes} minutes.")
    return wrapped(said, wide)


def wrapped(said, wide=130):
    lines, line = [], ""
    for word in said.split(" "):
        if line and len(line) + 1 + len(word) > wide:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def fragment(results):
    """For a page: a paragraph and a table, whose cells know the heads of their columns."""
    rows = [tag("tr", tag("th", one["workload"], tag("code", one["request"]) if one["request"] else None, scope="row"),
                [tag("td", one[key], data_label=title) for title, key in zip(HEAD[1:], ("best", "why"))],
                [tag("td", clients(one), one[key], data_label=key) for key in ("async", "threads")]) for one in why.rows(results)]
    about = f"Measured on {day(results.made)} by {results.made.get('command')}: one process of each mode on one core " \
            f"({results.machine.get('cpu')}, {system(results.machine)}), clients and PostgreSQL on another."
    return "\n".join(join(part) for part in (
        tag("p", about, class_="meta"),
        tag("table", "\n", tag("thead", tag("tr", [tag("th", word, scope="col") for word in HEAD])), "\n",
            tag("tbody", "\n", [join(row, "\n") for row in rows]), "\n", class_="workloads"))) + "\n"


def clients(one):
    return tag("small", f"{figure.count(one['at'])} clients: ") if one["at"] is not None else None


def as_json(results):
    told = {key: results.made.get(key) for key in ("date", "command", "rounds", "seconds_each")}
    return json.dumps({"made": told, "machine": {key: results.machine.get(key) for key in ("cpu", "kernel", "os")},
                       "versions": results.versions, "workloads": why.rows(results)}, indent=1, ensure_ascii=False) + "\n"
