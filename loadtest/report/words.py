"""Sentences about two figures."""

import math
import re

from . import compare, figure


def difference(measure, a, b, name_a, name_b, rounds=None):
    """Who has more, and by how much; or that there is no difference."""
    if compare.better(a, b, measure.higher, rounds) == 0:
        return "no difference"
    low, high, name_low, name_high = (a, b, name_a, name_b) if a.median <= b.median else (b, a, name_b, name_a)
    return f"{excess(measure, low, high)} with {name_high}" if low.median > 0 else f"none with {name_low}"


def excess(measure, low, high):
    """By how much the higher of two figures is that."""
    more, as_much = measure.more
    ratio = high.median / low.median if low.median > 0 else math.inf
    if ratio < 1.995:
        return f"{(ratio - 1) * 100:.0f}{figure.SPACE}% {more}"
    return f"{figure.digits(ratio)} times {as_much}" if ratio < math.inf else more


def contrast(measure, first, second, name_a, name_b):
    """One measure of two entries; None if neither has it."""
    a, b = measure.of(first), measure.of(second)
    if a is None and b is None:
        return None
    if a is None or b is None:
        has, name, lacks = (a, name_a, name_b) if b is None else (b, name_b, name_a)
        return f"{measure.title}: {figure.write(has.median, measure.unit)} with {name}, not measured with {lacks}"
    how = difference(measure, a, b, name_a, name_b, compare.rounds_of(first, second))
    return (f"{measure.title}: {figure.write(a.median, measure.unit)} with {name_a}, "
            f"{figure.write(b.median, measure.unit)} with {name_b} ({how})")


def contrasts(measures, first, second, name_a="async", name_b="threads"):
    found = [contrast(measure, first, second, name_a, name_b) for measure in measures]
    return [capital(said) for said in found if said]


def gaps(measures, first, second, name_a="async", name_b="threads"):
    """Only how they differ, in one line; empty if nothing can be compared."""
    pairs = [(measure, measure.of(first), measure.of(second)) for measure in measures]
    rounds = compare.rounds_of(first, second)
    return "; ".join(f"{measure.title}: {difference(measure, a, b, name_a, name_b, rounds)}"
                     for measure, a, b in pairs if a and b)


def capital(said):
    """The first letter of a sentence, unless it is that of p99."""
    return said if re.match(r"p\d", said) else said[:1].upper() + said[1:]


def uncapital(said):
    """The same as a part of a sentence."""
    return said[:1].lower() + said[1:]


def others(results, scenario, connections, measure):
    """What the models besides tenk's two reached there."""
    found = []
    for model in results.models.values():
        reached = measure.of(results.run(scenario, model.id, connections))
        if model.id not in ("async", "threads") and reached:
            found.append(f"{model.short} {figure.write(reached.median, measure.unit)}")
    return figure.several(found)


def span(connections):
    """The counts of a verdict: 10, or 10 to 1,000."""
    first, last = figure.count(connections[0]), figure.count(connections[-1])
    return first if first == last else f"{first} to {last}"
