"""The boards' routes beside their floors. Their rows are random: two answers are alike if they have as many."""

import json

from .comparing import costs
from ..processes import Failure

# What an update costs the server is asked, not how many the disk takes.
NO_WAITING_FOR_THE_DISK = "&options=-csynchronous_commit%3Doff"
APART = "%20-csearch_path%3Dapart,public"         # databases.APART

ROUTES = [("/db", 1.10), ("/queries?queries=20", 1.10), ("/updates?queries=20", 1.10), ("/fortunes", 1.10)]


def boards(bench):
    rows = []
    postgres = bench.urls.postgres() + NO_WAITING_FOR_THE_DISK
    for name, url, floor in (("PostgreSQL", postgres, ["boards_postgres", postgres + APART]),
                             ("SQLite", bench.urls.sqlite(), ["boards_sqlite", bench.urls.sqlite().removeprefix("sqlite:")])):
        with bench.contest(url, floor) as servers:
            if "base" in servers and not has_them(servers["base"]):
                del servers["base"]
            for path, target in ROUTES:
                for server in servers.values():
                    same_kind(server, servers["floor"], path)
                rows += [costs(bench, f"{path}, {name}", servers, path, ["same"], target if name == "PostgreSQL" else None,
                               connections) for connections in bench.options.connections[:None if name == "PostgreSQL" else 1]]
    return rows


def has_them(base):
    """A revision may be older than these routes."""
    try:
        return bool(base.get(ROUTES[0][0]))
    except Failure:
        return False


def same_kind(tenk, floor, path):
    ours, theirs = (server.get(path, "application/json") for server in (tenk, floor))
    if path == "/fortunes":
        alike = ours == theirs
    else:
        ours, theirs = json.loads(ours), json.loads(theirs)
        alike = type(ours) is type(theirs) and len(ours) == len(theirs)
    if not alike:
        tenk.fail(f"GET {path} is not what the floor answers: {ours!r}, {theirs!r}")
