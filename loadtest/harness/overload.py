"""More than a server can do: how much it still does, what it refuses and what that costs, and how soon all is well
again when the load goes."""

import dataclasses
import time

from . import accounts, bounds, figures, openloop
from .processes import Failure, serving
from .turns import Turns

FACTORS = (0.8, 1.4, 2, 5, 10, 0.8)              # times the maximum
QUICK_FACTORS = (0.8, 2, 0.8)
CLOSED = 3                                       # seconds, to find the maximum
SETTLING = 0.5                                   # seconds of a step that its figures leave out
PATH = "/users/#"                                # a random user
BESIDE = ("/plaintext", "/healthz")
BESIDE_RATE = 100                                # of each a second
REFUSALS = 0.02                                  # of the answers: fewer say nothing about what one costs


@dataclasses.dataclass(frozen=True)
class Clients:
    """How many connections, and how many requests of one may be without an answer."""
    connections: int
    depth: int                                   # 0: whatever is outstanding


# About two or three thousand requests at most are under way in the first two: a server can refuse what it has read, but
# not what lies unread in the kernel's buffers, where the last of them has room for hundreds on each connection.
CLIENTS = (Clients(256, 8), Clients(3000, 1), Clients(256, 0))
QUICK_CLIENTS = CLIENTS[:1]


class Overload:
    def __init__(self, options, models, urls, database, folder, progress):
        """urls: of each kind of database; database: the process of PostgreSQL."""
        self.options, self.models, self.urls, self.database = options, models, urls, database
        self.folder, self.progress = folder, progress
        self.program = f"{options.build}/openloop"
        self.factors, self.clients = (QUICK_FACTORS, QUICK_CLIENTS) if options.quick else (FACTORS, CLIENTS)
        self.entries = []

    def run(self):
        for kind, url in self.urls.items():
            for clients in self.clients:
                for model in self.models:
                    self.progress.show(f"overload, {kind}, {clients.connections:,} connections, {model.name}")
                    with serving(model.id, self.options.server_cpu, model.command(url, patient=False),
                                 self.folder) as server:
                        self.entries += self.one(kind, clients, model, server)
                    self.progress.step(lasts(self.options))

    def steps(self):
        each = self.options.seconds + 1
        most = f"closed:{closed(self.options)}"
        return [most, *(f"{factor}x:{each}" for factor in self.factors), most]

    def one(self, kind, clients, model, server):
        """All steps of one server."""
        cpu = self.options.client_cpu
        beside = {path: openloop.Client(cpu, self.program, server.port, path, 1, 0, [f"{BESIDE_RATE}:600"])
                  for path in BESIDE}
        try:
            main = openloop.Client(cpu, self.program, server.port, PATH, clients.connections, clients.depth, self.steps())
            try:
                begun = Begun(server, self.database, main, Turns(server) if model.tells_lag else None,
                              {self.options.server_cpu, cpu})
                slices = main.slices()
            finally:
                main.end()
            watched = {path: openloop.meanwhile(client) for path, client in beside.items()}
        finally:
            for client in beside.values():
                client.end()
        steps = [Step(begun, n, slices) for n in range(len(begun.steps))]
        told = {"database": kind, "model": model.id, **dataclasses.asdict(clients)}
        return [{**told, **entry} for entry in summary(steps, watched)]


class Begun:
    """When the steps began, and what the processes, and all together, had used until then."""

    def __init__(self, server, database, main, turns, cpus):
        self.steps, self.used, self.turns = [], [], None
        pids = {"server": accounts.tree(server.process.pid), "database": accounts.tree(database),
                "client": [main.process.pid]}
        for found in main.begun():
            if turns:
                turns.read(len(self.steps))
            pids["database"] = accounts.tree(database)
            self.used.append({"at": time.monotonic(), "all": accounts.busy(cpus),
                              **{who: accounts.cpu(each) for who, each in pids.items()}})
            if "step" in found:
                self.steps.append(found)
            else:
                self.end = found["end"]
        readings = turns.all() if turns else {}
        self.turns = [figures.lag(readings.get(n), readings.get(n + 1)) for n in range(len(self.steps))]


class Step:
    """One step as it was."""

    def __init__(self, begun, n, slices):
        self.told, self.n = begun.steps[n], n
        self.begin = self.told["at"]
        self.end = begun.steps[n + 1]["at"] if n + 1 < len(begun.steps) else begun.end // openloop.SLICE * openloop.SLICE
        self.slices = slices
        self.all = openloop.between(slices, self.begin, self.end)
        settling = min(SETTLING, (self.end - self.begin) / 4e6) * 1e6
        self.settled = [one for one in self.all if one["at"] >= self.begin + settling]
        before, after = begun.used[n], begun.used[n + 1]
        self.cpu_us = {who: (after[who] - before[who]) / 1000 for who in ("server", "database", "client", "all")}
        self.cpu_us["others"] = max(0, self.cpu_us.pop("all") - sum(self.cpu_us.values()))
        self.cpu = {who: used / 1e6 / (after["at"] - before["at"]) for who, used in self.cpu_us.items()}
        self.longest = (begun.turns[n] or {}).get("max")
        self.counts = openloop.counts(self.settled)
        self.seconds = len(self.settled) * openloop.SLICE / 1e6

    def rate(self, name):
        return self.counts[name] / self.seconds

    def p99(self):
        return openloop.Times(self.settled).percentile(99)


def summary(steps, watched):
    """An entry for each step that was open."""
    opened, maximum = steps[1:-1], steps[0].rate("good")
    usual = opened[0].p99()
    good = openloop.counts(steps[0].all)["good"]
    if not (maximum and usual and good):
        raise Failure("overload: there was no good answer before it")
    each = steps[0].cpu_us["server"] / good      # what a good answer costs where there is nothing else
    return [entry(step, maximum, steps[-1].rate("good"), usual, each, watched) for step in opened]


def entry(step, maximum, afterwards, usual, each, watched):
    possible = min(step.told["rate"], maximum)
    p99 = step.p99()
    beside = {path: openloop.Times(openloop.between(slices, step.begin, step.end)).all()
              for path, slices in watched.items()}
    return {
        "step": step.n, "factor": step.told["factor"], "seconds": step.seconds, "rounds": 1,
        "maximum_per_second": maximum, "maximum_afterwards_per_second": afterwards,
        **{f"{name}_per_second": step.rate(name) for name in openloop.COUNTS if name not in ("good", "late")},
        "goodput_per_second": step.rate("good"), "goodput_share": step.rate("good") / possible,
        "latency_ms": openloop.Times(step.settled).all(), "usual_p99_ms": usual,
        "p99_ratio": p99 / usual if p99 else None,
        "refusal_us": refusal(openloop.counts(step.all), step.cpu_us["server"], each), "good_us": each,
        "longest_turn_ms": step.longest,
        "back_ms": bounds.back(step.slices, step.begin, step.end, possible, usual),
        "beside_ms": beside, "cpu": step.cpu,
        "late_share": step.counts["late"] / max(1, step.counts["offered"]),
        "client_lag_ms": max((one["lag_us"] for one in step.settled), default=0) / 1000,
    }


def refusal(counts, cpu_us, each):
    """What the server used beyond its good answers, by the answers that were none; None if those were few."""
    refused = counts["refused"] + counts["other"]
    if refused < REFUSALS * (counts["good"] + refused):
        return None
    return max(0.0, cpu_us - counts["good"] * each) / refused


def closed(options):
    return 1 if options.quick else CLOSED


def lasts(options):
    """Seconds of one server."""
    return 2 * closed(options) + len(QUICK_FACTORS if options.quick else FACTORS) * (options.seconds + 1) + 1


def expected(options, models):
    return 2 * models * len(QUICK_CLIENTS if options.quick else CLIENTS) * lasts(options)
