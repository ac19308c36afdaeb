"""What is measured: its name, its unit, where it stands in an entry, and whether more of it is better."""

import dataclasses

from .results import Spread, reach, spread


@dataclasses.dataclass(frozen=True)
class Measure:
    title: str
    unit: str
    paths: tuple                             # several are added up
    more: tuple                              # how a difference is said: "18 % more", "twice as much"
    higher: bool = False                     # is better

    def of(self, entry):
        found = [spread(reach(entry, path)) for path in self.paths]
        if None in found:
            return None
        return Spread(*(sum(parts) for parts in zip(*found)))


PROCESSOR, EACH = "\u00b5s a request", "a request"
MUCH, MANY, LONG = ("more", "as much"), ("more", "as many"), ("longer", "as long")


def latency(which, key="latency_ms", path=None):
    if path:
        return Measure(f"{path}, {which}", "ms", ((key, path, which),), LONG)
    return Measure(f"{which} latency", "ms", ((key, which),), LONG)


def memory(title, *kinds):
    return Measure(title, "bytes", tuple(("memory_bytes", kind) for kind in kinds), MUCH)


def rate(title, key):
    return Measure(title, "requests/s", ((key,),), MANY, higher=True)


THROUGHPUT = rate("throughput", "requests_per_second")
LATENCIES = [latency(which) for which in ("p50", "p75", "p90", "p99", "p99.9", "max")]
P50, _, _, P99, P999, _ = LATENCIES

USER = Measure("user CPU", PROCESSOR, (("cpu_us", "user"),), MUCH)
SYSTEM = Measure("system CPU", PROCESSOR, (("cpu_us", "system"),), MUCH)
CPU = Measure("user and system CPU", PROCESSOR, USER.paths + SYSTEM.paths, MUCH)

VOLUNTARY = Measure("voluntary switches", EACH, (("switches_per_request", "voluntary"),), MANY)
INVOLUNTARY = Measure("involuntary switches", EACH, (("switches_per_request", "involuntary"),), MANY)
THREADS = Measure("threads", "", (("threads",),), MANY)

VIRTUAL = memory("virtual memory", "virtual")
RESIDENT = memory("resident memory", "resident")
PROPORTIONAL = memory("proportional memory", "proportional")
PAGE_TABLES = memory("page tables", "page_tables")
KERNEL_STACKS = memory("kernel stacks", "kernel_stacks")
HELD = memory("memory held", "proportional", "page_tables", "kernel_stacks")
CLIENT = Measure("memory of a client", "bytes", (("client_bytes",),), MUCH)

LAG = Measure("p99 loop lag", "ms", (("loop_lag_ms", "p99"),), LONG)
LAG_MAX = Measure("longest loop lag", "ms", (("loop_lag_ms", "max"),), LONG)

OFFERED = rate("offered", "offered_per_second")
ANSWERED = rate("answered", "answered_per_second")
GOODPUT = rate("goodput", "goodput_per_second")
OVERLOAD = [OFFERED, rate("sent", "sent_per_second"), rate("not sent", "unsent_per_second"), GOODPUT,
            rate("refused", "refused_per_second"), rate("other answers", "other_per_second"),
            rate("broken", "broken_per_second"), rate("the maximum", "maximum_per_second"),
            rate("the maximum afterwards", "maximum_afterwards_per_second"), *LATENCIES,
            Measure("CPU of a good answer", "\u00b5s", (("good_us",),), MUCH),
            Measure("CPU of a refusal", "\u00b5s", (("refusal_us",),), MUCH),
            Measure("longest turn", "ms", (("longest_turn_ms",),), LONG),
            Measure("back after", "ms", (("back_ms",),), LONG),
            *[latency(which, "beside_ms", path) for path in ("/plaintext", "/healthz") for which in ("p50", "p99", "max")],
            *[Measure(f"CPU: {who}", "of one", (("cpu", who),), MUCH) for who in ("server", "database", "client", "others")],
            Measure("longest lag of the client", "ms", (("client_lag_ms",),), LONG)]
FAST = [latency(which, "fast_latency_ms") for which in ("p50", "p99", "p99.9")]
HEAVY = [latency(which, "heavy_latency_ms") for which in ("p50", "p99", "p99.9")]

ALL = [THROUGHPUT, *LATENCIES, USER, SYSTEM, VOLUNTARY, INVOLUNTARY, THREADS, VIRTUAL, RESIDENT,
       PROPORTIONAL, PAGE_TABLES, KERNEL_STACKS, CLIENT, LAG, LAG_MAX]
