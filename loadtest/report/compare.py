"""Which of two is better, or neither: medians, and whether the rounds of the two overlap."""

from .measure import P99, THROUGHPUT
from .results import number

LEAST = 0.03                                 # a smaller difference of the medians is none
LEAST_UNREPEATED = 0.10                      # the same where one round shows no spread

RULE = (f"A difference counts if the medians are at least {LEAST:.0%} apart and no round of the one reaches into "
        f"the rounds of the other; where there was only one round, if they are at least {LEAST_UNREPEATED:.0%} "
        "apart. Anything less is \u201cno difference\u201d.").replace("%", "\u00a0%")


def better(a, b, higher, rounds=None):
    """1 if a is better, -1 if b is, 0 if there is no difference, None if one was not measured."""
    if a is None or b is None:
        return None
    low, high = sorted((a, b), key=lambda figure: figure.median)
    least = LEAST_UNREPEATED if rounds is not None and rounds < 2 else LEAST
    if high.min <= low.max or high.median - low.median < least * abs(low.median):
        return 0
    return 1 if (high is a) == higher else -1


def rounds_of(*entries):
    found = [number(entry.get("rounds")) for entry in entries]
    return min((n for n in found if n is not None), default=None)


def entries(measure, first, second):
    return better(measure.of(first), measure.of(second), measure.higher, rounds_of(first, second))


def cell(first, second):
    """Throughput and p99 together: 1, -1, 0, None, or "trade" if each is better at one of them."""
    verdicts = {entries(measure, first, second) for measure in (THROUGHPUT, P99)} - {None}
    if not verdicts:
        return None
    if len(verdicts - {0}) == 2:
        return "trade"
    return next(iter(verdicts - {0}), 0)


def along(results, scenario, first="async", second="threads"):
    """[(verdict, [connections])]: neighbours of the same verdict together."""
    found = []
    for connections in results.connections(scenario, first, second):
        verdict = cell(results.run(scenario, first, connections), results.run(scenario, second, connections))
        if verdict is None:
            continue
        if found and found[-1][0] == verdict:
            found[-1][1].append(connections)
        else:
            found.append((verdict, [connections]))
    return found
