"""What a connection and a request that waits cost in memory, and how late many of them are answered."""

import time

from .targets import Beside, Row


def each(bench, measure, floor="waiting"):
    """measure(server) of a fresh tenk, of the base if there is one, and of a fresh floor, one after the other."""
    found = {}
    with bench.tenk(bench.urls.sqlite(), [floor]) as tenk:
        found["tenk"] = measure(tenk)
    if bench.base:
        with bench.old(bench.urls.sqlite()) as base:
            found["base"] = measure(base)
    with bench.floor(floor) as beside:
        found["floor"] = measure(beside)
    return found


def row(name, unit, found, target):
    """The target is a limit; of one measurement each there is no spread."""
    base = {"base": Beside(found["base"], found["tenk"] / found["base"])} if "base" in found else {}
    return Row(name, unit, found["tenk"], found["floor"], None, target, limit=True, others=base)


def growth(bench, server, mode, path, seconds):
    """Resident bytes that each of many clients adds, beyond what a few clients did."""
    count = bench.options.clients
    with bench.load.clients(server, "idle", "/plaintext", 50, 20) as few:
        few.stdin.close()
        few.wait(20)
    time.sleep(0.5)
    before = server.resident()
    with bench.load.clients(server, mode, path, count, seconds) as many:
        time.sleep(1.5)
        grown = server.resident() - before
        bench.load.finish(server, many, seconds)
    return grown / count


def idle(bench):
    found = each(bench, lambda server: growth(bench, server, "idle", "/plaintext", 60))
    return [row(f"idle connection ({bench.options.clients:,})", "B", found, 255)]


def sleeping(bench):
    rows = []
    for path, stage, target in (("/sleep", "await", 4.6 * 1024), ("/sleep/promise", "promise", 640)):
        found = each(bench, lambda server: growth(bench, server, "burst", f"{path}?ms=6000", 60))
        rows.append(row(f"waiting request, {stage} ({bench.options.clients:,})", "B", found, target))
        found = each(bench, lambda server: crowd(bench, server, "burst", f"{path}?ms=1000"))
        for which, limit in (("p50", None), ("p99", 1200), ("max", None)):
            rows.append(row(f"{path}?ms=1000, {bench.options.clients:,} at once, {which}", "ms",
                            {name: times[which] for name, times in found.items()}, limit))
    found = each(bench, lambda server: crowd(bench, server, "spread", "/sleep?ms=1000"))
    for which, limit in (("mean", 1), ("p99", 3)):
        rows.append(row(f"/sleep?ms=1000, {bench.options.clients:,} within a second, too late, {which}", "ms",
                        {name: times[which] - 1000 for name, times in found.items()}, limit))
    return rows


def crowd(bench, server, mode, path):
    with bench.load.clients(server, mode, path, bench.options.clients, 30) as clients:
        return bench.load.finish(server, clients, 30)
