"""What thousands who wait cost: while they do, and when they have gone."""

import statistics
import time

from .. import posting
from .comparing import cost, in_turn, row
from .targets import Row

CROWD = 5000                                     # of a burst
BREATH = 30                                      # seconds after a burst, until memory is looked at
STAGES = {"await": "/sleep", "promise": "/sleep/promise"}


def sleepers(bench):
    """A closed loop of ten thousand: each asks again as soon as it has slept."""
    options, rows = bench.options, []
    seconds, rounds = max(4, options.seconds), max(1, options.rounds // 2)

    def one(server, path):
        before = server.cpu()
        result = bench.load.wrk(server, path, ["same"], options.clients, seconds)
        return {"us": (server.cpu() - before) / 1000 / result["requests"], "ms": result["p99"]}

    for stage, path in STAGES.items():
        path += "?ms=100"
        with bench.contest(bench.urls.sqlite(), ["waiting"]) as servers:
            for server in servers.values():
                one(server, path)
            found = in_turn({name: lambda server=server: one(server, path) for name, server in servers.items()}, rounds)
        name = f"{path}, {options.clients:,} at once, {stage}"
        for unit, which, target in (("us", "", {"await": 1.10, "promise": 1.05}[stage]), ("ms", ", p99", 1.00)):
            rows.append(row(name + which, unit, [{server: figures[unit] for server, figures in each.items()} for each in found],
                            target))
    return rows


def burst(bench):
    """CPU before and after a crowd, in one process. A twin without a crowd is measured in turn with it both times, and
    what has become slower with both of them was the machine."""
    if bench.options.self:
        return []                                # no floor has users and sleepers
    users = ("/users/1", ["users", "10000"], "/users/ID")
    full = (posting.PAGE, ["json"], f"{posting.PAGE}, {posting.MOST} posts,")
    sqlite, postgres, rows = bench.urls.sqlite(), bench.urls.postgres(), []
    posting.fill(bench, sqlite)
    for stage, path in STAGES.items():
        asked = [(f"{path}?ms=0", ["same"], f"{path}?ms=0"), users, full]
        rows += after_crowd(bench, "SQLite", sqlite, stage, path, asked)
    return rows + after_crowd(bench, "PostgreSQL", postgres, "await", STAGES["await"], [users])


def after_crowd(bench, database, url, stage, path, asked):
    rounds = max(3, bench.options.rounds // 2)
    with bench.tenk(url, []) as tenk, bench.tenk(url, []) as twin:

        def costs():
            return [in_turn({name: lambda server=server: cost(bench, server, what, kind, bench.options.seconds)
                             for name, server in (("tenk", tenk), ("twin", twin))}, rounds) for what, kind, _ in asked]

        for server in (tenk, twin):
            for what, kind, _ in asked:
                cost(bench, server, what, kind, 1)
        before, resident = costs(), tenk.resident()
        crowd(bench, tenk, path)
        since, after = time.monotonic(), costs()
        time.sleep(max(0, since + BREATH - time.monotonic()))
        now = tenk.resident()
    rows = [compared(f"{name} on {database} after {CROWD:,} of {stage}; beside: before", before[n], after[n])
            for n, (_, _, name) in enumerate(asked)]
    return rows + [Row(f"resident {BREATH} s after {CROWD:,} of {stage}, {database}; beside: before", "MB", now / 1e6,
                       resident / 1e6, now / resident, 1.30)]


def crowd(bench, server, path):
    with bench.load.clients(server, "burst", f"{path}?ms=1000", CROWD, 30) as clients:
        bench.load.finish(server, clients, 30)


def compared(name, before, after):
    """By how much more the ratio to the twin has grown; the spread is that of the rounds after."""
    usual = statistics.median(each["tenk"] / each["twin"] for each in before)
    ratios = [each["tenk"] / each["twin"] / usual for each in after]
    return Row(name, "us", statistics.median(each["tenk"] for each in after), statistics.median(each["twin"] for each in before),
               statistics.median(ratios), 1.05, spread=(min(ratios), max(ratios)))
