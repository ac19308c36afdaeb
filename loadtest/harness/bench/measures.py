"""What is measured. Each measure takes the Bench and returns rows for the table."""

import contextlib
import json
import os

from .. import posting
from . import boards, crowds, memory_costs, rates, realtime, writing
from .comparing import costs
from ..models import PATIENT
from .targets import Row

# Nobody is refused for having to wait behind hundreds: a floor refuses nobody.
ENVIRONMENT = {name: str(value) for name, value in PATIENT.items() if name != "TENK_DATABASE_CONNECTIONS"}


class Bench:
    """What the measures share: the options, the load, and how to start each server.

    base: the other revision's server (revision.Program), or None; peers: those of peers.py that can be measured."""

    def __init__(self, options, load, folder, serving, urls, base, peers):
        self.options, self.load, self.folder = options, load, folder
        self.serving, self.urls = serving, urls
        self.base, self.peers = base, peers

    def floor(self, program, *arguments, name="floor"):
        command = [f"{self.options.build}/{program}"]
        return self.serving(name, self.options.server_cpu, lambda port: [*command, port, *arguments],
                            self.folder)

    def tenk(self, url, instead, cpu=True):
        """tenk with one worker; with --self the floor it is compared to, instead."""
        if self.options.self:
            return self.floor(*instead, name="floor-again")
        return self.tenk_at("tenk", self.options.tenk, os.getcwd(), url, self.options.server_cpu if cpu else None)

    def tenk_at(self, name, program, home, url, cpu):
        return self.serving(name, cpu, lambda port: [program, "-l", f"127.0.0.1:{port}", "-D", url, "-w", "1"], self.folder,
                            cwd=home, env=os.environ | ENVIRONMENT)

    def old(self, url):
        return self.tenk_at("base", self.base.path, self.base.home, url, self.options.server_cpu)

    def peer_names(self):
        return [peer.name for peer in self.peers]

    @contextlib.contextmanager
    def contest(self, url, floor, improved=None, asked=None):
        """All that are compared, up at once: {name: server}. Peers take part that serve the route that is asked."""
        with contextlib.ExitStack() as stack:
            servers = {"tenk": stack.enter_context(self.tenk(url, floor)),
                       "floor": stack.enter_context(self.floor(*floor))}
            if improved:
                servers["improved"] = stack.enter_context(self.floor(*improved, name="improved"))
            if self.base:
                servers["base"] = stack.enter_context(self.old(url))
            for peer in self.peers:
                if asked in peer.routes:
                    servers[peer.name] = stack.enter_context(peer.serving(self, url))
            yield servers


def plain(bench):
    rows = []
    for path, target in (("/plaintext", 1.05), ("/json", 1.05)):
        with bench.contest(bench.urls.sqlite(), ["plaintext"], asked=path) as servers:
            same_answers(servers, path)
            for connections in bench.options.connections:
                rows.append(costs(bench, path, servers, path, ["same"], target, connections))
                if path == "/plaintext":
                    rows.append(costs(bench, f"{path}, 16 at a time", servers, path, ["pipeline", "16"], 1.20, connections))
    return rows


def users(bench, name, url, database, target, program, asked=None):
    with bench.contest(url, [program, database], [f"{program}_improved", database], asked) as servers:
        for user in (1, 42, 10000):
            same_answers(servers, f"/users/{user}")
        return [costs(bench, f"/users/ID as JSON, {name}", servers, "/users/1", ["users", "10000"], target, connections)
                for connections in bench.options.connections]


def users_sqlite(bench):
    url = bench.urls.sqlite()
    return users(bench, "SQLite", url, url.removeprefix("sqlite:"), 1.20, "users_sqlite")


def users_postgres(bench):
    url = bench.urls.postgres()
    return users(bench, "PostgreSQL", url, url, 0.95, "users_postgres", "/users")


def posts(bench):
    """A page of as many posts as there are on one: its buffer is the largest that /users/ID needs."""
    url = bench.urls.sqlite()
    posting.fill(bench, url)
    database = url.removeprefix("sqlite:")
    with bench.contest(url, ["users_sqlite", database], ["users_sqlite_improved", database]) as servers:
        same_answers(servers, posting.PAGE)
        return [costs(bench, f"{posting.PAGE}, {posting.MOST} posts, SQLite", servers, posting.PAGE, ["json"], 1.20,
                      bench.options.connections[0])]


def same_answers(servers, path):
    """A comparison means something only if all give the same answer."""
    theirs = servers["floor"].get(path, "application/json")
    for server in servers.values():
        ours = server.get(path, "application/json")
        if ours != theirs and (not ours.startswith(b"{") or json.loads(ours) != json.loads(theirs)):
            server.fail(f"GET {path} is not what the floor answers:\n  {ours[:300]!r}\n  {theirs[:300]!r}")


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
            bench.load.wrk(tenk, "/users/1", ["pages", "10000"], bench.options.connections[0], seconds + 2)
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


# Those that are made by default, and compare with a base as well; those that compare tenk with itself, which are left out where
# there is a base; and the one that has to be asked for, for it takes minutes.
COMPARED = {"plain": plain, "sqlite": users_sqlite, "posts": posts, "postgres": users_postgres, "boards": boards.boards,
            "post": writing.posts, "import": writing.imports, "rate": rates.fixed, "idle": memory_costs.idle,
            "sleep": memory_costs.sleeping, "sleepers": crowds.sleepers, "echo": realtime.echo, "fanout": realtime.fanout,
            "quiet": realtime.quiet, "streams": realtime.streams}
ALONE = {"healthz": healthz, "slow": slow_queries}
MEASURES = COMPARED | ALONE | {"burst": crowds.burst}
