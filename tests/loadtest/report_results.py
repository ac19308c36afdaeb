"""Results of a load test that never took place: invented figures, for the tests of the report and nothing else."""

CONNECTIONS = (10, 100, 1000, 5000, 10000)
MODELS = (("async", "tenk, async", "tenk --mode async"), ("threads", "tenk, threads", "tenk --mode threads"),
          ("node", "Node, http and pg", "node server.js"), ("python", "Python, aiohttp", "python3 server.py"))
# id, title, microseconds of CPU a request with async, how much more with threads, milliseconds of waiting
SCENARIOS = (("plaintext", "Plain text", 8, 0.9, 0), ("database", "A page from the database", 40, 1.0, 0.4),
             ("sleep", "A wait of 100 ms", 14, 1.8, 100), ("link-1", "A link of 1 ms", 30, 1.1, 1),
             ("link-10", "A link of 10 ms", 30, 1.4, 10), ("link-50", "A link of 50 ms", 30, 1.6, 50),
             ("render-inline", "Rendering inline", 300, 0.95, 0), ("render-pool", "Rendering in a pool", 340, 0.9, 0),
             ("post", "A new post", 60, 1.0, 2))
SLOWER = {"async": 1, "threads": 1, "node": 2.6, "python": 5.3}
KIB, MIB = 1024, 1024 * 1024


def S(median, spread=0.02):
    return {"median": median, "min": median * (1 - spread), "max": median * (1 + spread)}


def latencies(p50, tail=1.0):
    stretch = {"p50": 1, "p75": 1.1, "p90": 1.3, "p99": 2, "p99.9": 3.2, "max": 6}
    return {which: S(p50 * (1 + (by - 1) * tail), 0.05) for which, by in stretch.items()}


def run(scenario, model, connections):
    id, _, cost, more, wait = scenario
    cost *= SLOWER[model] * (more + 0.15 * connections / 10000 if model == "threads" else 1)
    rate = min(1e6 / cost, connections * 1000 / wait if wait else 1e9)
    threads = {"async": 2, "threads": connections + 2, "node": 11, "python": 1}[model]
    held = {"async": 5, "threads": 24, "node": 14, "python": 20}[model] * KIB * connections + 9 * MIB
    return {"scenario": id, "model": model, "connections": connections, "rounds": 3,
            "requests_per_second": S(rate), "latency_ms": latencies(max(wait, connections * 1000 / rate), cost / 50),
            "cpu_us": {"user": S(cost * 0.4), "system": S(cost * 0.6)},
            "switches_per_request": {"voluntary": S(1.1 if model == "threads" else 0.02),
                                     "involuntary": S(0.05 if model == "threads" else 0.001, 0.3)},
            "threads": S(threads, 0),
            "memory_bytes": {"virtual": S(held + threads * 8 * MIB), "resident": S(held), "proportional": S(held * 0.9),
                             "page_tables": S(threads * 8 * KIB + held / 512),
                             "kernel_stacks": S(threads * 16 * KIB, 0)},
            "loop_lag_ms": None if model == "threads" else {"p99": S(0.3 + cost / 100), "max": S(2 + cost / 20)}}


def down(run):
    """The way back of a sweep: with threads, many connections leave something behind."""
    worse = 1.3 if run["model"] == "threads" and run["connections"] < 1000 else 1.02
    return {"requests_per_second": S(run["requests_per_second"]["median"] / worse),
            "latency_ms": latencies(run["latency_ms"]["p50"]["median"]),
            "cpu_us": {kind: S(found["median"] * worse) for kind, found in run["cpu_us"].items()}}


def beyond(database, model, connections, depth, step, factor):
    """async keeps what it can do, threads lose it."""
    most, offered = {"async": 16000, "threads": 3000}[model], {"async": 16000, "threads": 3000}[model] * factor
    possible = min(offered, most)
    good = possible * (1 if model == "async" or factor <= 1 else 0.6)
    slower = 1 if factor <= 1 else 2 if model == "async" else 30
    return {"database": database, "model": model, "connections": connections, "depth": depth, "step": step,
            "factor": factor, "seconds": 3.5, "rounds": 1, "maximum_per_second": most, "offered_per_second": offered,
            "sent_per_second": offered, "unsent_per_second": 0, "goodput_per_second": good, "missed_per_second": 0,
            "goodput_share": good / possible, "refused_per_second": offered - good, "other_per_second": 0,
            "broken_per_second": 0, "latency_ms": {"p50": 3 * slower, "p99": 8 * slower, "max": 20 * slower},
            "usual_p99_ms": 8, "p99_ratio": slower, "good_us": 40, "refusal_us": 7.5 if factor > 1 else None,
            "longest_turn_ms": 4 if model == "async" else None, "back_ms": 50 if slower <= 2 else None,
            "beside_ms": {path: {"p50": 0.4, "p99": 2, "max": 5} for path in ("/plaintext", "/healthz")},
            "cpu": {"server": 0.9, "database": 0.5, "client": 0.2, "others": 0.1}, "late_share": 0.001, "client_lag_ms": 2}


def made_up(*scenarios):
    """All of them, or only those that are named."""
    told = [scenario for scenario in SCENARIOS if scenario[0] in scenarios or not scenarios]
    runs = [run(scenario, id, connections) for scenario in told for id, _, _ in MODELS
            for connections in CONNECTIONS if not (id == "python" and connections == 10000)]
    for one in runs:
        if one["model"] in ("async", "threads") and one["connections"] < CONNECTIONS[-1]:
            one["down"] = down(one)
    most = {"async": 24000, "threads": 24300, "node": 9100, "python": 4600}
    return {
        "made": {"date": "2001-01-01T00:00:00Z", "seconds": 3723, "quick": False, "command": "make loadtest",
                 "rounds": 3, "seconds_each": 5, "link": "netem"},
        "machine": {"cpu": "An invented processor", "cores": 2, "memory_bytes": 8 * 1024 * MIB, "kernel": "0.0.0",
                    "os": "None 0", "open_files": 1048576, "server_cpu": 0, "client_cpu": 1},
        "versions": {"tenk": "0.0.0", "wrk": "0.0.0", "node": "0.0.0", "python": "0.0.0"},
        "models": [{"id": id, "name": name, "command": command} for id, name, command in MODELS],
        "scenarios": [{"id": id, "title": title, "about": f"Invented: a request waits {wait} ms.",
                       "request": f"GET /{id}",
                       "client": f"wrk -t1 -c10 -d5s --timeout 10s --latency http://127.0.0.1:8080/{id}"}
                      for id, title, _, _, wait in told],
        "runs": runs,
        "open": [{"scenario": "database", "model": model, "share": share, "offered_per_second": S(rate * share, 0),
                  "answered_per_second": S(rate * share * (0.9 if model == "python" and share > 0.9 else 1)),
                  "latency_ms": latencies(1e6 / rate / 100 / (1.02 - share), 2 if model == "threads" else 1)}
                 for model, rate in most.items() for share in (0.5, 0.8, 0.95)],
        "mixed": [{"model": model, "way": way, "offered_per_second": S(2000, 0), "fast_latency_ms": latencies(fast),
                   "heavy_latency_ms": latencies(heavy)}
                  for model, way, fast, heavy in (("async", "inline", 21, 30), ("async", "thread", 1.1, 34),
                                                  ("threads", "inline", 1.15, 33), ("node", "inline", 44, 70))],
        "overload": [beyond(database, model, *clients, step, factor) for database in ("postgres", "sqlite")
                     for clients in ((256, 8), (3000, 1), (256, 0)) for model in ("async", "threads")
                     for step, factor in enumerate((0.8, 1.4, 2, 5, 10, 0.8))],
        "skipped": [{"scenario": scenario[0], "model": "python", "connections": 10000, "why": "invented: too slow"}
                    for scenario in told]}
