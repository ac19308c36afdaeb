"""The measurements: every scenario, by every number of connections, of every model in turn."""

import contextlib
import json
import math
import os
import time

from . import accounts, databases, figures, files, generators, links
from .generators import CONNECTS, Arrivals
from .processes import Failure, serving
from .scenarios import HEAVY, HEAVY_POSTS, HTML, POSTS_STREAMED, SHARES, STREAMED

LONGEST = 12                                     # times the usual length, of a run whose answers take long
RESTING = 0.01                                   # of a processor's time
PEERS_AT = (100, 1000)                           # connections
FAST, HEAVY_RATE = "/healthz", 40                # of the mixed load: nine fast ones for each heavy one
WAYS = {"async": ("inline", "thread", "process"), "threads": ("inline", "process")}          # "thread" is inline there


def length(seconds, connections):
    """Whole seconds of a run: thousands of clients take some to connect."""
    return seconds + connections // CONNECTS


def shares(options):
    return SHARES[:1] if options.quick else SHARES


class Sweep:
    def __init__(self, options, models, database, folder, progress):
        self.options, self.models, self.database = options, models, database
        self.folder, self.progress, self.relay = folder, progress, f"{options.build}/relay"
        self.runs, self.opened, self.mixed, self.skipped = [], [], [], []
        self.file = None
        self.best = {}                           # of a scenario and a model: the highest throughput

    # Servers.

    @contextlib.contextmanager
    def link(self, ms):
        """The URL of the database behind a link that takes so much longer."""
        if not ms:
            yield self.database.url
            return
        with links.slow(self.options.link, self.relay, self.options.client_cpu, self.folder, self.database.socket,
                        ms) as (host, port):
            yield f"postgresql://tenk@{host}:{port}/postgres"

    @contextlib.contextmanager
    def server(self, model, url, patient=True, cpu=True, settings=None):
        environment = os.environ | {name: str(value) for name, value in (settings or {}).items()}
        with serving(model.id, self.options.server_cpu if cpu else None, model.command(url, patient),
                     self.folder, env=environment) as server:
            server.url = f"http://127.0.0.1:{server.port}"
            if not self.options.break_percent:
                yield server
                return
            with links.relay(self.relay, self.options.client_cpu, self.folder, server.port, 0,
                             self.options.break_percent, name=f"break-{model.id}") as port:
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
        with self.link(scenario.link_ms) as url, self.all_servers(models, url, settings=scenario.settings) as servers:
            self.same_answers(scenario, servers.values())
            points = {}
            for n in counts:
                of = [m for m in models if m.id in ("async", "threads") or n in PEERS_AT]
                found = [self.point(scenario, n, model, servers[model.id]) for model in of]
                points[n] = [point for point in found if point]
                self.up(scenario, points[n], servers)
            for n in downward(counts):
                self.down(scenario, [point for point in points[n] if point[1].id in ("async", "threads")], servers)

    @staticmethod
    def same_answers(scenario, servers):
        """A comparison means something only if all give the same answer."""
        answers = [server.post(scenario.path, json.loads(scenario.body)) if scenario.body
                   else server.get(scenario.path, scenario.accept) for server in servers]
        for server, answer in zip(servers, answers):
            same = answer == answers[0] or (answer[:1] == b"{" and json.loads(answer) == json.loads(answers[0]))
            if not (scenario.body or same):
                server.fail(f"{scenario.request()} is not what the others answer:\n  {answer[:300]!r}\n  "
                            f"{answers[0][:300]!r}")

    def point(self, scenario, n, model, server):
        """Warms up, looks at the memory while all connections are there, and finds how long a run has to be."""
        usual, longest = length(self.options.seconds, n), self.options.seconds * LONGEST
        run = {"scenario": scenario.id, "model": model.id, "connections": n, "rounds": self.options.rounds}
        seconds = length(1, n)
        result = self.warm(scenario, n, model, server, seconds, run)
        self.progress.step(seconds)
        while result["requests"] < n and seconds < longest / 2:
            seconds = min(longest // 2, 3 * seconds)
            self.progress.more(seconds)
            result = self.warm(scenario, n, model, server, seconds, run)
            self.progress.step(seconds)
        each = n * result["seconds"] / max(1, result["requests"])
        if 1.5 * each > longest:
            self.skipped.append({"scenario": scenario.id, "model": model.id, "connections": n,
                                 "why": f"runs of {longest} seconds are too short: in {seconds} there were "
                                        f"{result['requests']:,} answers"})
            self.progress.more(-self.options.rounds * usual)
            return None
        lasts = max(usual, min(longest, math.ceil(3 * each)))
        run["rounds"] = self.options.rounds if lasts <= 3 * usual else 1
        self.progress.more(run["rounds"] * lasts - self.options.rounds * usual)
        return run, model, lasts

    def warm(self, scenario, n, model, server, seconds, run):
        self.progress.show(f"{scenario.id}, {n:,} connections, {model.name}: warming up")

        def look():
            time.sleep(seconds * 0.8)
            pids = accounts.tree(server.process.pid)
            run["threads"] = figures.spread([accounts.threads(pids)])
            run["memory_bytes"] = figures.spreads([accounts.memory(pids)])

        result = generators.closed(self.options.client_cpu, server.url, scenario, n, seconds, look)
        self.settle(server)
        return self.faultless(scenario, n, model, result)

    def settle(self, server):
        """Until it rests: clients that have left may still have their requests in line, and others are next."""
        pids, until = accounts.tree(server.process.pid), time.monotonic() + LONGEST * self.options.seconds
        then = accounts.cpu(pids)
        while time.monotonic() < until:
            time.sleep(0.1)
            now = accounts.cpu(pids)
            if now - then < RESTING * 0.1e9:
                return
            then = now

    def rounds(self, scenario, points, servers, way=""):
        """A B A B ...: the machine's speed drifts, and favours nobody so. A run begins with nobody in line; it has to
        be so much longer than an answer takes that this does not show."""
        found = {model.id: [] for _, model, _ in points}
        for i in range(self.options.rounds):
            for run, model, seconds in points if i % 2 == 0 else reversed(points):
                if i < run["rounds"]:
                    n = run["connections"]
                    self.progress.show(f"{scenario.id}, {n:,} connections, {model.name}, round {i + 1}{way}")
                    found[model.id].append(self.round(scenario, n, model, servers[model.id], seconds))
                    self.progress.step(seconds)
        return found

    def up(self, scenario, points, servers):
        found = self.rounds(scenario, points, servers)
        for run, _, _ in points:
            each = found[run["model"]]
            self.add_run(run, each)
            lags = [r["lag"] for r in each if r["lag"]]
            run["loop_lag_ms"] = figures.spreads(lags) if lags else None
            key = (run["scenario"], run["model"])
            self.best[key] = max(self.best.get(key, (0, 0)), (run["requests_per_second"]["median"], run["connections"]))

    def add_run(self, run, each):
        """With the figures of its rounds."""
        for key, value in each[0].items():
            if isinstance(value, dict) and key != "lag":
                run[key] = figures.spreads([r[key] for r in each])
            elif isinstance(value, (int, float)):
                run[key] = figures.spread([r[key] for r in each])
        self.runs.append(run)

    def down(self, scenario, points, servers):
        """The same again, in a server that has had more since: what a burst has spoiled shows."""
        found = self.rounds(scenario, points, servers, " on the way down")
        for run, _, _ in points:
            each = found[run["model"]]
            run["down"] = {"requests_per_second": figures.spread([r["requests_per_second"] for r in each]),
                           **{key: figures.spreads([r[key] for r in each]) for key in ("latency_ms", "cpu_us")}}

    def round(self, scenario, n, model, server, seconds):
        seen = []

        def look():
            """Switches of the threads that are there, at two moments: those of a thread go with it."""
            for share in (0.3, 0.8):
                time.sleep(max(0, begun + seconds * share - time.monotonic()))
                seen.append((time.monotonic(), accounts.switches(pids)))

        pids = accounts.tree(server.process.pid)
        lag = self.lag(server) if model.tells_lag else None
        root = server.process.pid
        ticks, cpu, begun = accounts.cpu_ticks(pids), accounts.used(root), time.monotonic()
        result = self.checked(scenario, n, model, generators.closed(self.options.client_cpu, server.url, scenario, n,
                                                                    seconds, look))
        cpu, after = (accounts.used(root) - cpu) / 1000 / result["requests"], accounts.cpu_ticks(accounts.tree(root))
        self.settle(server)
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
    def faultless(scenario, n, model, result):
        wrong = ", ".join(f"{count} {kind}" for kind, count in result["errors"].items() if count)
        if wrong:
            raise Failure(f"{scenario.title} ({scenario.request()}), {n:,} connections, {model.name}: {wrong} "
                          f"among {result['requests']:,} answers")
        return result

    def checked(self, scenario, n, model, result):
        if not result["requests"]:
            raise Failure(f"{scenario.title} ({scenario.request()}), {n:,} connections, {model.name}: no answer at all")
        return self.faultless(scenario, n, model, result)

    # The open loop.

    def arrivals(self, rate, pace, seconds):
        return Arrivals(rate, pace, seconds, files.clients())

    def at_a_rate(self, scenario):
        """Each at shares of its own highest throughput."""
        models = [m for m in self.models if (scenario.id, m.id) in self.best]
        with self.link(scenario.link_ms) as url, self.all_servers(models, url) as servers:
            for share in shares(self.options):
                found = {model.id: [] for model in models}
                rates = {id: self.arrivals(self.best[scenario.id, id][0] * share, scenario.pace, self.options.seconds)
                         for id in found}
                for i in range(self.options.rounds):
                    for model in models if i % 2 == 0 else reversed(models):
                        self.progress.show(f"{scenario.id} at {share:.0%} of the maximum, {model.name}")
                        url = servers[model.id].url + scenario.path
                        found[model.id].append(generators.opened(
                            self.options.client_cpu, url, rates[model.id], scenario.accept))
                        self.settle(servers[model.id])
                        self.progress.step(self.options.seconds + 1.5)
                for id, each in found.items():
                    self.add_rate(scenario, id, share, rates[id], each)

    def add_rate(self, scenario, id, share, arrivals, each):
        """Unless h2load itself fell behind: what it asks for too late, nobody has waited for."""
        if all(r["held"] for r in each):
            url = "http://127.0.0.1:PORT" + scenario.path
            self.opened.append({"scenario": scenario.id, "model": id, "share": share, "rounds": len(each),
                                "client": " ".join(arrivals.command(url, scenario.accept, "FILE")), **merged(each)})
            return
        sent = min(r["offered_per_second"] for r in each)
        self.skipped.append({"scenario": scenario.id, "model": id, "connections": None,
                             "why": f"at {share:.0%} of the maximum, of {arrivals.rate:,.0f} requests a second h2load "
                                    f"sent {sent:,.0f}"})

    def beside_heavy_ones(self):
        """Not pinned: rendering threads and the loop on one CPU would measure the kernel's scheduler."""
        both = [m for m in self.models if m.id in ("async", "threads")]
        seconds = self.options.seconds + 1
        with self.all_servers(both, self.database.url, cpu=False) as servers:
            ways = [(model, way) for model in both for way in WAYS[model.id]]
            found = {(model.id, way): [] for model, way in ways}
            for i in range(self.options.rounds):
                for model, way in ways if i % 2 == 0 else reversed(ways):
                    self.progress.show(f"mixed, rendered {way}, {model.name}")
                    found[model.id, way].append(self.one_mix(servers[model.id].url, way, seconds))
                    self.progress.step(seconds)
            for (id, way), each in found.items():
                fast, heavy = [f for f, _ in each], [h for _, h in each]
                self.mixed.append({
                    "model": id, "way": way, "rounds": len(each),
                    "offered_per_second": figures.spread([f["offered_per_second"] + h["offered_per_second"] for f, h in each]),
                    "fast_latency_ms": figures.spreads([f["latency_ms"] for f in fast]),
                    "heavy_latency_ms": figures.spreads([h["latency_ms"] for h in heavy])})

    def one_mix(self, url, way, seconds):
        heavy = generators.Open(self.options.client_cpu, f"{url}/users/{HEAVY}?render={way}",
                                self.arrivals(HEAVY_RATE, 5, seconds), HTML)
        try:
            fast = generators.opened(self.options.client_cpu, url + FAST, self.arrivals(9 * HEAVY_RATE, 20, seconds))
        except BaseException:
            heavy.end()
            raise
        return fast, heavy.result()

    # The databases.

    def sqlite(self):
        """The URL of a file, which is made when it is first asked for."""
        if not self.file:
            self.file = databases.sqlite([self.options.tenk], self.options.client_cpu, self.folder)
        return self.file

    def make_heavy(self):
        """Posts whose page takes milliseconds to render; and many, for a stream."""
        with self.server(self.models[0], self.database.url) as server:
            for post in HEAVY_POSTS:
                server.post(f"/users/{HEAVY}/posts", post)
            for i in range(POSTS_STREAMED):
                server.post(f"/users/{STREAMED}/posts", {"title": f"Number {i}", "body": "Some **words**, as many as usual. " * 6})


def downward(counts):
    """All but the largest, of which the sweep comes; one alone is repeated."""
    return counts[-2::-1] if len(counts) > 1 else counts


def merged(results):
    all = {key: figures.spread([r[key] for r in results]) for key in ("offered_per_second", "answered_per_second")}
    latencies = [r["latency_ms"] for r in results if r["latency_ms"]]
    all["latency_ms"] = figures.spreads(latencies) if latencies else None
    return all


def expected(options, scenarios, models, opened, mixed):
    """Seconds that it will take, about."""
    tenks = sum(m.id in ("async", "threads") for m in models)
    whole = 0
    for s in scenarios:
        for n in options.connections:
            if n <= s.most:
                of = len(models) if n in PEERS_AT and s.peers else tenks
                whole += of * (length(1, n) + options.rounds * length(options.seconds, n))
        whole += sum(tenks * options.rounds * length(options.seconds, n)
                     for n in downward([n for n in options.connections if n <= s.most]))
    whole += len(opened) * len(shares(options)) * len(models) * options.rounds * (options.seconds + 1.5)
    if mixed:
        whole += sum(map(len, WAYS.values())) * options.rounds * (options.seconds + 1)
    return whole
