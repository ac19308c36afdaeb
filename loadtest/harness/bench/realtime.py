"""Websockets and streams of events: what a message costs, how long one takes to reach all of them, and what those cost that
have nothing to say (websockets/)."""

import contextlib
import json
import select
import time

from .comparing import in_turn, row
from .memory_costs import each, row as memory_row
from ..openloop import Times

BYTES, DEPTH, COUNTS = 100, 16, (64, 1000)       # of a message; messages of one socket at once; sockets
STOPPED = 0.01                                   # of those that are told: they read nothing
TEXT, SPEAKS = '{"key":"%","text":"#' + "x" * 80 + '"}', "?name=Bench"   # as /ws/chat/ROOM has it
SETUP = 60                                       # seconds for all to connect


class Sockets:
    """They are open until the block ends."""

    def __init__(self, bench, server, mode, path, count, seconds=0, *more):
        self.server, self.what, self.count, self.seconds = server, f"{mode} {path}", count, seconds
        self.command = [f"{bench.options.build}/websockets", mode, server.port, path, count, seconds, *more]
        self.running = bench.load.running

    @contextlib.contextmanager
    def open(self):
        with self.running(self.command) as self.process:
            if self.line(SETUP).split() != ["ready", str(self.count)]:
                self.fail("not all could connect")
            yield self

    def line(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            self.fail("it took too long")
        return self.process.stdout.readline()

    def fail(self, what):
        self.server.fail(f"{self.what} with {self.count} sockets: {what}")

    def measure(self):
        """What the program says, and the server's CPU of that time, in microseconds."""
        before = self.server.cpu()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        said = self.line(self.seconds + 20)
        used = (self.server.cpu() - before) / 1000
        if not said:
            self.fail("there was no result")
        result = json.loads(said)
        if not result["messages"]:
            self.fail("no message came")
        return {**result, "server_us": used}


def once(bench, server, *what):
    with Sockets(bench, server, *what).open() as sockets:
        result = sockets.measure()
    count = result["messages"]
    return {"us": result["server_us"] / count, "client": result["cpu_us"] / count, "rate": count / result["microseconds"] * 1e6,
            "p50": Times([result]).percentile(50), "p99": Times([result]).percentile(99)}


def rounds(bench, servers, *what):
    for server in servers.values():              # once to get warm
        once(bench, server, *what)
    return in_turn({name: lambda server=server: once(bench, server, *what) for name, server in servers.items()},
                   bench.options.rounds)


def figure(found, which):
    return [{name: figures[which] for name, figures in each.items()} for each in found]


def echo(bench):
    rows = []
    with bench.contest(bench.urls.sqlite(), ["sockets"], asked="/ws/echo") as servers:
        for count in COUNTS:
            found = rounds(bench, servers, "echo", "/ws/echo", count, bench.options.seconds, DEPTH, BYTES)
            name = f"/ws/echo, {BYTES} bytes, {DEPTH} at a time, {count:,} sockets"
            rows += [row(name, "us", figure(found, "us"), 1.10),
                     row(f"{name}, messages", "/s", figure(found, "rate"), None),
                     row(f"{name}, CPU of the client", "us", figure(found, "client"), None)]
    return rows


def fanout(bench):
    """A message goes to all, and the next when all that read have it. Those that have stopped are to be noticed by nobody."""
    count, stopped = bench.options.clients, int(bench.options.clients * STOPPED)

    def told(stopped):
        return "fanout", bench.options.fanout, count, max(2, bench.options.seconds), stopped, TEXT, SPEAKS

    with bench.contest(bench.urls.sqlite(), ["sockets"], asked="/ws/chat") as servers:
        found = rounds(bench, servers, *told(stopped))
        noticed = in_turn({"tenk": lambda: once(bench, servers["tenk"], *told(stopped)),
                           "floor": lambda: once(bench, servers["tenk"], *told(0))}, bench.options.rounds)
    name = f"{bench.options.fanout}, one to {count:,}, {stopped} of them stopped"
    return [row(f"{name}, a delivery", "us", figure(found, "us"), 1.10),
            row(f"{name}, deliveries", "/s", figure(found, "rate"), None),
            row(f"{name}, p50", "ms", figure(found, "p50"), None), row(f"{name}, p99", "ms", figure(found, "p99"), 1.10),
            row(f"{name}, p99; beside: none of them stopped", "ms", figure(noticed, "p99"), 1.10)]


def quiet(bench):
    return [row for stage, path, target in (("await", "/ws/echo", 4.6 * 1024), ("promise", "/ws/echo/promise", 500))
            for row in listening(bench, f"websocket, {stage}", "idle", path, target)]


def streams(bench):
    return listening(bench, "stream of events", "stream", bench.options.events, None)


def listening(bench, what, mode, path, target):
    """Resident bytes of those that only listen, beyond what a few have cost."""
    count = bench.options.clients

    def growth(server):
        with Sockets(bench, server, mode, path, 50).open():
            pass
        time.sleep(0.5)
        before = server.resident()
        with Sockets(bench, server, mode, path, count).open():
            time.sleep(1)
            return (server.resident() - before) / count

    return [memory_row(f"idle {what} ({count:,})", "B", each(bench, growth, "sockets"), target)]
