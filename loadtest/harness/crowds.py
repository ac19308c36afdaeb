"""What thousands who wait cost: while they do, and when they have gone."""

import statistics
import time

from . import posting
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
        return (server.cpu() - before) / 1000 / result["requests"], result["p99"]

    for stage, path in STAGES.items():
        path += "?ms=100"
        with bench.tenk(bench.urls.sqlite(), ["waiting"]) as tenk, bench.floor("waiting") as floor:
            for server in (tenk, floor):
                one(server, path)
            pairs = in_turn(bench, tenk, floor, lambda server: one(server, path), rounds)
        name = f"{path}, {options.clients:,} at once, {stage}"
        for which, (unit, target) in enumerate((("us", {"await": 1.10, "promise": 1.05}[stage]), ("ms", 1.00))):
            rows.append(row(f"{name}, p99" if which else name, unit, [(a[which], b[which]) for a, b in pairs], target))
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
            return [in_turn(bench, tenk, twin, lambda server: cost(bench, server, what, kind, bench.options.seconds),
                            rounds) for what, kind, _ in asked]

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
    usual = statistics.median(ours / theirs for ours, theirs in before)
    ratios = [ours / theirs / usual for ours, theirs in after]
    return Row(name, "us", statistics.median(a for a, _ in after), statistics.median(b for b, _ in before),
               statistics.median(ratios), 1.05, spread=(min(ratios), max(ratios)))
