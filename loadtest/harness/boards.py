"""The boards' routes beside their floors. Their rows are random: two answers are alike if they have as many."""

import json

from .comparing import compare

# What an update costs the server is asked, not how many the disk takes.
NO_WAITING_FOR_THE_DISK = "&options=-csynchronous_commit%3Doff"

ROUTES = [("/db", 1.10), ("/queries?queries=20", 1.10), ("/updates?queries=20", 1.10), ("/fortunes", 1.10)]


def boards(bench):
    rows = []
    for name, url, program in (("PostgreSQL", bench.urls.postgres() + NO_WAITING_FOR_THE_DISK, "boards_postgres"),
                               ("SQLite", bench.urls.sqlite(), "boards_sqlite")):
        floor_program = (program, url.removeprefix("sqlite:"))
        with bench.tenk(url, floor_program) as tenk, bench.floor(*floor_program) as floor:
            for path, target in ROUTES:
                same_kind(tenk, floor, path)
                rows.append(compare(bench, f"{path}, {name}", tenk, floor, path, ["same"],
                                    target if name == "PostgreSQL" else None))
    return rows


def same_kind(tenk, floor, path):
    ours, theirs = (server.get(path, "application/json") for server in (tenk, floor))
    if path == "/fortunes":
        alike = ours == theirs
    else:
        ours, theirs = json.loads(ours), json.loads(theirs)
        alike = type(ours) is type(theirs) and len(ours) == len(theirs)
    if not alike:
        tenk.fail(f"GET {path} is not what the floor answers: {ours!r}, {theirs!r}")
