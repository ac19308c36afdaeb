"""Many measurements of one thing, in a few numbers."""

import math
import statistics

PERCENTILES = {"p50": 50, "p75": 75, "p90": 90, "p99": 99, "p99.9": 99.9, "max": 100}
LONGER = 4096.0                                  # milliseconds: of a turn that took more than three seconds


def spread(values):
    """What the rounds say: the median, and how far they lie apart."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def spreads(rounds):
    """The same of dictionaries with the same keys, key by key."""
    return {key: spread([each[key] for each in rounds]) for key in rounds[0]}


def percentile(ascending, share):
    """The nearest rank: a value that was measured."""
    return ascending[max(0, math.ceil(share / 100 * len(ascending) - 1e-9) - 1)]


def latencies(values):
    ascending = sorted(values)
    return {name: percentile(ascending, share) for name, share in PERCENTILES.items()}


def lag(before, after):
    """Of two readings of /stats: how long the loop's turns between them took, in milliseconds. A turn is known by
    the upper bound of its class; the last class has none, and counts as LONGER."""
    if not (before and after):
        return None
    turns = {}
    for sign, reading in ((-1, before), (1, after)):
        for loop in reading.get("loops") or []:
            for bound, count in loop["lag_ms"].items():
                bound = LONGER if bound == "longer" else float(bound)
                turns[bound] = turns.get(bound, 0) + sign * count
    bounds = sorted(bound for bound, count in turns.items() if count > 0)
    if not bounds:
        return None
    rank, seen = math.ceil(0.99 * sum(turns[bound] for bound in bounds)), 0
    for bound in bounds:
        seen += turns[bound]
        if seen >= rank:
            return {"p99": bound, "max": bounds[-1]}
    return None
