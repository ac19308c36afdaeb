"""What is measured. Each measure takes the Bench and returns rows for the table."""

import json
import time

from . import boards, crowds, posting
from .comparing import compare
from .targets import Row


class Bench:
    """What the measures share: the options, the load, and how to start each server."""

    def __init__(self, options, load, folder, serving, urls):
        self.options, self.load, self.folder = options, load, folder
        self.serving, self.urls = serving, urls

    def floor(self, program, *arguments, name="floor"):
        command = [f"{self.options.build}/{program}"]
        return self.serving(name, self.options.server_cpu, lambda port: [*command, port, *arguments],
                            self.folder)

    def tenk(self, url, instead, cpu=True):
        """tenk with one worker; with --self the floor it is compared to, instead."""
        if self.options.self:
            return self.floor(*instead, name="floor-again")
        return self.serving("tenk", self.options.server_cpu if cpu else None, lambda port: [
            self.options.tenk, "-l", f"127.0.0.1:{port}", "-D", url, "-w", "1"], self.folder)


def plain(bench):
    rows = []
    with bench.tenk(bench.urls.sqlite(), ["plaintext"]) as tenk, bench.floor("plaintext") as floor:
        for path in ("/plaintext", "/json"):
            same_answer(tenk, floor, path)
        for name, path, kind, target in (
                ("/plaintext", "/plaintext", ["same"], 1.10),
                ("/plaintext, 16 at a time", "/plaintext", ["pipeline", "16"], 1.30),
                ("/json", "/json", ["same"], 1.10)):
            rows.append(compare(bench, name, tenk, floor, path, kind, target))
    return rows


def users(bench, name, url, *floor_program):
    with bench.tenk(url, floor_program) as tenk, bench.floor(*floor_program) as floor:
        for user in (1, 42, 10000):
            same_answer(tenk, floor, f"/users/{user}")
        return [compare(bench, f"/users/ID as JSON, {name}", tenk, floor, "/users/1", ["users", "10000"], 1.30)]


def users_sqlite(bench):
    url = bench.urls.sqlite()
    return users(bench, "SQLite", url, "users_sqlite", url.removeprefix("sqlite:"))


def users_postgres(bench):
    url = bench.urls.postgres()
    return users(bench, "PostgreSQL", url, "users_postgres", url)


def posts(bench):
    """A page of as many posts as there are on one: its buffer is the largest that /users/ID needs."""
    url = bench.urls.sqlite()
    posting.fill(bench, url)
    floor_program, rows = ("users_sqlite", url.removeprefix("sqlite:")), []
    with bench.tenk(url, floor_program) as tenk, bench.floor(*floor_program) as floor:
        same_answer(tenk, floor, posting.PAGE)
        for connections in (bench.options.connections, 4 * bench.options.connections):
            rows.append(compare(bench, f"{posting.PAGE}, {posting.MOST} posts, SQLite, {connections} connections", tenk, floor,
                                posting.PAGE, ["json"], 1.30, connections))
    return rows


def same_answer(tenk, floor, path):
    """A comparison means something only if both give the same answer."""
    ours, theirs = (server.get(path, "application/json") for server in (tenk, floor))
    if ours != theirs and (not ours.startswith(b"{") or json.loads(ours) != json.loads(theirs)):
        tenk.fail(f"GET {path} is not what the floor answers:\n  {ours[:300]!r}\n  {theirs[:300]!r}")


def both(bench, measure):
    """measure(server) of a fresh tenk and of a fresh floor, one after the other."""
    with bench.tenk(bench.urls.sqlite(), ["waiting"]) as tenk:
        ours = measure(tenk)
    with bench.floor("waiting") as floor:
        return ours, measure(floor)


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
    ours, theirs = both(bench, lambda server: growth(bench, server, "idle", "/plaintext", 60))
    return [Row(f"idle connection ({bench.options.clients:,})", "B", ours, theirs, None, 512, limit=True)]


def sleeping(bench):
    rows = []
    for path, stage, target in (("/sleep", "await", 4.6 * 1024), ("/sleep/promise", "promise", 700)):
        ours, theirs = both(bench, lambda server: growth(bench, server, "burst", f"{path}?ms=6000", 60))
        rows.append(Row(f"waiting request, {stage} ({bench.options.clients:,})", "B", ours, theirs, None,
                        target, limit=True))
        ours, theirs = both(bench, lambda server: burst(bench, server, f"{path}?ms=1000"))
        for which, limit in (("p50", None), ("p99", 1200), ("max", None)):
            rows.append(Row(f"{path}?ms=1000, {bench.options.clients:,} at once, {which}", "ms", ours[which],
                            theirs[which], None, limit, limit=True))
    return rows


def burst(bench, server, path):
    with bench.load.clients(server, "burst", path, bench.options.clients, 30) as clients:
        return bench.load.finish(server, clients, 30)


def steady(bench, server, path, rate, seconds):
    """The times of requests that come at a steady, low rate."""
    with bench.load.clients(server, "steady", path, rate, seconds) as client:
        return bench.load.finish(server, client, seconds)


def healthz(bench):
    """Not pinned: rendering threads beside the loop on one CPU would measure the kernel's scheduler."""
    if bench.options.self:
        return []                            # no floor renders
    seconds = max(5, bench.options.seconds)
    with bench.tenk(bench.urls.sqlite(), ["waiting"], cpu=False) as tenk:
        quiet = steady(bench, tenk, "/healthz", 200, seconds)
        with bench.load.clients(tenk, "steady", "/healthz", 200, seconds) as client:
            bench.load.wrk(tenk, "/users/1", ["pages", "10000"], bench.options.connections, seconds + 2)
            busy = bench.load.finish(tenk, client, seconds)
    return [Row(f"/healthz while pages render, {which}; beside: usual", "ms", busy[which], quiet[which],
                busy[which] / quiet[which]) for which in ("p50", "p99")]


def slow_queries(bench):
    """Each query takes 50 ms: a page that starts its two side by side takes half of one that does not."""
    if bench.options.self:
        return []
    url = bench.urls.postgres() + "&options=-csearch_path%3Dslow"
    with bench.tenk(url, ["waiting"]) as tenk:
        tenk.get("/users/42")
        ours, theirs = (steady(bench, tenk, path, 4, 5) for path in ("/users/42", "/users/42/sequential"))
    return [Row("/users/42, 50 ms a query; beside: /sequential", "ms", ours["p50"], theirs["p50"],
                ours["p50"] / theirs["p50"], 0.60)]


MEASURES = {"plain": plain, "sqlite": users_sqlite, "posts": posts, "postgres": users_postgres, "boards": boards.boards,
            "idle": idle,
            "sleep": sleeping, "sleepers": crowds.sleepers, "burst": crowds.burst, "healthz": healthz, "slow": slow_queries}
