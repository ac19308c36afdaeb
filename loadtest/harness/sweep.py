"""The measurements: every scenario, by every number of connections, of every model in turn."""

import contextlib
import json
import os
import time

from . import accounts, figures, generators
from .processes import Failure, free_port, pinned, serving, stop
from .scenarios import HEAVY, HEAVY_POSTS, HTML, OVERLOADS, SHARES

AT_ONCE = 2500                                   # clients that connect in a second, at the least
PEERS_AT = (100, 1000)                           # connections
FAST, HEAVY_RATE = "/healthz", 40                # of the mixed load: nine fast ones for each heavy one


def length(seconds, connections):
    """Whole seconds of a run: thousands of clients take some to connect."""
    return seconds + connections // AT_ONCE


class Sweep:
    def __init__(self, options, models, database, folder, progress):
        self.options, self.models, self.database = options, models, database
        self.folder, self.progress = folder, progress
        self.runs, self.opened, self.mixed, self.overload, self.skipped = [], [], [], [], []
        self.best = {}                           # of a scenario and a model: the highest throughput

    # Servers.

    @contextlib.contextmanager
    def link(self, ms):
        """The URL of the database behind a link that takes so much longer."""
        if not ms:
            yield self.database.url
            return
        port = free_port()
        with self.relay(port, self.database.socket, ms):
            yield f"postgresql://tenk@127.0.0.1:{port}/postgres"

    @contextlib.contextmanager
    def relay(self, port, to, *rest):
        with serving("relay", self.options.client_cpu, lambda _: [f"{self.options.build}/relay", port, to, *rest],
                     self.folder, port=port):
            yield

    @contextlib.contextmanager
    def server(self, model, url, patient=True, cpu=True):
        with serving(model.id, self.options.server_cpu if cpu else None, model.command(url, patient),
                     self.folder) as server:
            server.url = f"http://127.0.0.1:{server.port}"
            if not self.options.break_percent:
                yield server
                return
            port = free_port()
            with self.relay(port, server.port, 0, self.options.break_percent):
                server.url = f"http://127.0.0.1:{port}"
                yield server

    @contextlib.contextmanager
    def all_servers(self, models, url, **options):
        with contextlib.ExitStack() as stack:
            yield {model.id: stack.enter_context(self.server(model, url, **options)) for model in models}

    # The closed loop.

    def scenario(self, scenario):
        counts = [n for n in self.options.connections if n <= scenario.most]
        for n in self.options.connections:
            if n > scenario.most:
                self.skipped.append({"scenario": scenario.id, "model": None, "connections": n, "why": scenario.why_no_more})
        models = [m for m in self.models if scenario.peers or m.id in ("async", "threads")]
        with self.link(scenario.link_ms) as url, self.all_servers(models, url) as servers:
            for n in counts:
                of = [m for m in models if m.id in ("async", "threads") or n in PEERS_AT]
                for model in of:
                    self.runs.append(self.point(scenario, n, model, servers[model.id], of, servers))
                self.rounds(scenario, n, of, servers)

    def point(self, scenario, n, model, server, *_):
        """Warms up, and looks at the memory while all connections are there."""
        seconds = length(1, n)
        self.progress.show(f"{scenario.id}, {n:,} connections, {model.name}: warming up")
        run = {"scenario": scenario.id, "model": model.id, "connections": n, "rounds": self.options.rounds}

        def look():
            time.sleep(seconds * 0.8)
            pids = accounts.tree(server.process.pid)
            run["threads"] = figures.spread([accounts.threads(pids)])
            run["memory_bytes"] = figures.spreads([accounts.memory(pids)])

        self.checked(scenario, n, model, generators.closed(self.options.client_cpu, server.url, scenario, n,
                                                           seconds, look), warming=True)
        self.progress.step(seconds)
        return run

    def rounds(self, scenario, n, models, servers):
        """A B A B ...: the machine's speed drifts, and favours nobody so."""
        found = {model.id: [] for model in models}
        for i in range(self.options.rounds):
            for model in models if i % 2 == 0 else reversed(models):
                self.progress.show(f"{scenario.id}, {n:,} connections, {model.name}, round {i + 1}")
                found[model.id].append(self.round(scenario, n, model, servers[model.id]))
                self.progress.step(length(self.options.seconds, n))
        for run in self.runs[-len(models):]:
            each = found[run["model"]]
            for key in ("requests_per_second",):
                run[key] = figures.spread([r[key] for r in each])
            for key in ("latency_ms", "cpu_us", "switches_per_request"):
                run[key] = figures.spreads([r[key] for r in each])
            lags = [r["lag"] for r in each if r["lag"]]
            run["loop_lag_ms"] = figures.spreads(lags) if lags else None
            best = run["requests_per_second"]["median"]
            key = (run["scenario"], run["model"])
            self.best[key] = max(self.best.get(key, (0, 0)), (best, n))

    def round(self, scenario, n, model, server):
        seen = []

        def look():
            """Switches of the threads that are there, at two moments: those of a thread go with it."""
            for share in (0.3, 0.8):
                time.sleep(max(0, begun + seconds * share - time.monotonic()))
                seen.append((time.monotonic(), accounts.switches(pids)))

        pids, seconds = accounts.tree(server.process.pid), length(self.options.seconds, n)
        lag = self.lag(server) if model.tells_lag else None
        ticks, cpu, begun = accounts.cpu_ticks(pids), accounts.cpu(pids), time.monotonic()
        result = self.checked(scenario, n, model, generators.closed(self.options.client_cpu, server.url, scenario, n,
                                                                    seconds, look))
        cpu, after = (accounts.cpu(pids) - cpu) / 1000 / result["requests"], accounts.cpu_ticks(pids)
        user, system = (max(0, now - then) for now, then in zip(after, ticks))
        part = user / (user + system) if user + system else 0.5
        asked = result["requests"] / result["seconds"] * (seen[1][0] - seen[0][0])
        voluntary, involuntary = (max(0, b - a) / asked for a, b in zip(seen[0][1], seen[1][1]))
        return {"requests_per_second": result["requests"] / result["seconds"], "latency_ms": result["latency_ms"],
                "cpu_us": {"user": cpu * part, "system": cpu * (1 - part)},
                "switches_per_request": {"voluntary": voluntary, "involuntary": involuntary},
                "lag": figures.lag(lag, self.lag(server)) if lag else None}

    @staticmethod
    def lag(server):
        return json.loads(server.get("/stats"))

    @staticmethod
    def checked(scenario, n, model, result, warming=False):
        wrong = {kind: count for kind, count in result["errors"].items() if count}
        if wrong or not (result["requests"] or warming):
            kinds = ", ".join(f"{count} {kind}" for kind, count in wrong.items()) or "no answer at all"
            raise Failure(f"{scenario.title} ({scenario.request()}), {n:,} connections, {model.name}: {kinds} "
                          f"among {result['requests']:,} answers")
        return result

    # The open loop.

    def at_a_rate(self, scenario):
        """Each at shares of its own highest throughput."""
        with self.link(scenario.link_ms) as url, self.all_servers(self.models, url) as servers:
            for share in SHARES:
                found = {}
                for _ in range(self.options.rounds):
                    for model in self.models:
                        best = self.best.get((scenario.id, model.id))
                        if not best:
                            continue
                        self.progress.show(f"{scenario.id} at {share:.0%} of the maximum, {model.name}")
                        found.setdefault(model.id, []).append(generators.opened(
                            self.options.client_cpu, servers[model.id].url, scenario.path, best[0] * share,
                            self.options.seconds, scenario.accept))
                        self.progress.step(self.options.seconds)
                self.opened += [{"scenario": scenario.id, "model": id, "share": share, "rounds": len(each), **merged(each)}
                                for id, each in found.items()]

    def beyond(self, scenario):
        """More than it can do, with the limits that tenk has when nobody changes them."""
        both = [m for m in self.models if (scenario.id, m.id) in self.best and m.id in ("async", "threads")]
        for factor in OVERLOADS:
            for model in both:
                rate, n = self.best[scenario.id, model.id]
                self.progress.show(f"overload, {factor} times the maximum, {model.name}")
                with self.server(model, self.database.url, patient=False) as server:
                    result = generators.opened(self.options.client_cpu, server.url, scenario.path, rate * factor,
                                               self.options.seconds + 1, scenario.accept, refusals=True)
                self.progress.step(self.options.seconds + 1)
                self.overload.append({"model": model.id, "connections": n, "rounds": 1, **merged([result])})

    def beside_heavy_ones(self):
        """Not pinned: rendering threads and the loop on one CPU would measure the kernel's scheduler."""
        both = [m for m in self.models if m.id in ("async", "threads")]
        seconds = self.options.seconds + 1
        with self.all_servers(both, self.database.url, cpu=False) as servers:
            for way in ("inline", "thread"):
                found = {m.id: [] for m in both}
                for _ in range(self.options.rounds):
                    for model in both:
                        self.progress.show(f"mixed, rendered {way}, {model.name}")
                        found[model.id].append(self.one_mix(servers[model.id].url, way, seconds))
                        self.progress.step(seconds)
                for id, each in found.items():
                    fast, heavy = [f for f, _ in each], [h for _, h in each]
                    self.mixed.append({
                        "model": id, "way": way, "rounds": len(each),
                        "offered_per_second": figures.spread([f["offered_per_second"] + h["offered_per_second"]
                                                              for f, h in each]),
                        "fast_latency_ms": figures.spreads([f["latency_ms"] for f in fast]),
                        "heavy_latency_ms": figures.spreads([h["latency_ms"] for h in heavy])})

    def one_mix(self, url, way, seconds):
        heavy = generators.Open(self.options.client_cpu, url, f"/users/{HEAVY}?render={way}", HEAVY_RATE, seconds, HTML)
        fast = generators.Open(self.options.client_cpu, url, FAST, 9 * HEAVY_RATE, seconds)
        return fast.result(), heavy.result()

    # The database.

    def make_heavy(self):
        """Posts whose page takes milliseconds to render."""
        with self.server(self.models[0], self.database.url) as server:
            for post in HEAVY_POSTS:
                server.post(f"/users/{HEAVY}/posts", post)


def merged(results):
    keys = ("offered_per_second", "answered_per_second", "refused_per_second")
    all = {key: figures.spread([r[key] for r in results]) for key in keys}
    all["goodput_per_second"] = all["answered_per_second"]
    latencies = [r["latency_ms"] for r in results if r["latency_ms"]]
    all["latency_ms"] = figures.spreads(latencies) if latencies else None
    return all


def expected(options, scenarios, models, opened, extras):
    """Seconds that it will take, about."""
    tenks = sum(m.id in ("async", "threads") for m in models)
    whole = 0
    for s in scenarios:
        for n in options.connections:
            if n <= s.most:
                of = len(models) if n in PEERS_AT and s.peers else tenks
                whole += of * (length(1, n) + options.rounds * length(options.seconds, n))
    whole += len(opened) * len(SHARES) * len(models) * options.rounds * options.seconds
    if extras:
        whole += tenks * (len(OVERLOADS) + 2 * options.rounds) * (options.seconds + 1)
    return whole
