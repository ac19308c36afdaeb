"""Real time in both modes: what goes to and fro, what one says to all, and what a client costs that only listens.

What these find is told as other runs are (sweep.py): connections are clients, and what is called requests there are messages."""

import dataclasses
import types

from . import accounts, files
from .load import Load
from .openloop import Times
from .bench.realtime import BYTES, SPEAKS, STOPPED, TEXT, Sockets

ROOM, NEWS = "/ws/chat/bench", "/events/chat/bench"


@dataclasses.dataclass
class Live:
    id: str
    title: str
    about: str
    mode: str                                    # of the program websockets
    path: str
    noun: str
    least: int = 1
    why_no_fewer: str = ""
    most: int = 10000
    why_no_more: str = "more would tell nothing"
    takes: dict = dataclasses.field(default_factory=dict)        # files of a client, by model; else one
    reasons: dict = dataclasses.field(default_factory=dict)      # as of a Scenario
    group: str = ""

    def skips(self, clients):
        """Why it does not measure so many; "": it does."""
        return self.why_no_fewer if clients < self.least else self.why_no_more if clients > self.most else ""

    def fits(self, clients, model):
        return clients <= files.clients(self.takes.get(model.id, 1))

    def more(self, clients):
        """Its arguments behind the seconds."""
        if self.mode == "echo":
            return [1, BYTES]
        return [int(clients * STOPPED), TEXT, SPEAKS if self.mode == "fanout" else ROOM + SPEAKS]

    def request(self):
        return f"GET {self.path}"

    def command(self, build):
        return " ".join(map(str, [f"{build}/websockets", self.mode, "PORT", self.path, "N", "SECONDS", *self.more(100)]))


TWO_FILES = f"{files.TOO_FEW}: beside each client's there is one by which its thread is woken"
WARM, SPEAKERS = 16, 64                          # clients that come before; who take turns to speak to all
WAITS = {"async": "a client that waits holds no thread"}
TOLD = dict(noun="deliveries", least=SPEAKERS, reasons=WAITS, takes={"threads": 2},
            why_no_fewer="how much a client may say at once is limited: so few would be done too soon")
LIVE = [
    Live("echo", "Real time: echo", f"A websocket each, and on it one message of {BYTES} bytes at a time, to and fro.", "echo",
         "/ws/echo", "messages", most=5000, why_no_more="all of them speak at once: more only wait longer for one another",
         reasons=WAITS),
    Live("fanout", "Real time: one to all, by websocket", "What one of a chat's room says reaches all in it; 1 % of them read "
         "nothing.", "fanout", ROOM, **TOLD),
    Live("events", "Real time: one to all, by server-sent events", "The same to streams of events.", "events", NEWS, **TOLD),
]


def measure(sweep, scenario):
    """Appends its runs to those of the sweep."""
    options = sweep.options
    shared = types.SimpleNamespace(options=options, load=Load(options.client_cpu, f"{options.build}/client"))
    models = [m for m in sweep.models if m.id in ("async", "threads")]
    for n in options.connections:
        if why := scenario.skips(n):
            sweep.skipped.append({"scenario": scenario.id, "model": None, "connections": n, "why": why})
            continue
        of = [m for m in models if scenario.fits(n, m)]
        sweep.skipped += [{"scenario": scenario.id, "model": m.id, "connections": n, "why": TWO_FILES}
                          for m in models if m not in of]
        found = {m.id: [] for m in of}
        for i in range(options.rounds):
            for model in of if i % 2 == 0 else reversed(of):
                sweep.progress.show(f"{scenario.id}, {n:,} clients, {model.name}, round {i + 1}")
                # A new server each time: what an earlier crowd has left behind would hide what this one takes.
                with sweep.server(model, sweep.sqlite()) as server:
                    found[model.id].append(one(shared, server, scenario, n))
                sweep.progress.step(lasts(options, n))
        for id, each in found.items():
            sweep.add_run({"scenario": scenario.id, "model": id, "connections": n, "rounds": len(each)}, each)


def held(pids):
    memory = accounts.memory(pids)
    return memory["proportional"] + memory["page_tables"] + memory["kernel_stacks"]


def one(shared, server, scenario, n):
    seconds, pids = max(2, shared.options.seconds), [server.process.pid]
    sockets = Sockets(shared, server, scenario.mode, scenario.path, WARM, seconds, *scenario.more(WARM))
    with sockets.open():
        sockets.measure()                        # once to get warm
    before = held(pids)
    sockets = Sockets(shared, server, scenario.mode, scenario.path, n, seconds, *scenario.more(n))
    with sockets.open():
        memory, each, threads = accounts.memory(pids), (held(pids) - before) / n, accounts.threads(pids)
        ticks, switches = accounts.cpu_ticks(pids), accounts.switches(pids)
        result = sockets.measure()
        after, switched = accounts.cpu_ticks(pids), accounts.switches(pids)
    count = result["messages"]
    user, system = (max(0, now - then) for now, then in zip(after, ticks))
    part = user / (user + system) if user + system else 0.5
    us = result["server_us"] / count
    return {"requests_per_second": count / result["microseconds"] * 1e6, "latency_ms": Times([result]).all(),
            "cpu_us": {"user": us * part, "system": us * (1 - part)},
            "switches_per_request": dict(zip(("voluntary", "involuntary"),
                                             (max(0, b - a) / count for a, b in zip(switches, switched)))),
            "threads": threads, "memory_bytes": memory, "client_bytes": each}


def lasts(options, n):
    """Seconds of one server: to connect all, twice to measure, to start and to stop."""
    return 2 * max(2, options.seconds) + 1.5 + n / 1500


def expected(options, wanted, models):
    tenks = [m for m in models if m.id in ("async", "threads")]
    return sum(sum(s.fits(n, m) for m in tenks) * options.rounds * lasts(options, n)
               for s in wanted for n in options.connections if not s.skips(n))
