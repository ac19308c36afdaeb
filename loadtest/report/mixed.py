"""Fast requests beside some that need the CPU for long: who waits for whom."""

from . import compare, dots, figure, measure, panel, words
from .markup import tag

FAST50, FAST99, FAST999 = measure.FAST
HEAVY99 = measure.HEAVY[1]


WAYS = {"inline": "in place", "thread": "in the pool", "process": "in worker processes"}


def way(entry):
    """Where the heavy ones were answered."""
    return WAYS.get(entry.get("way"), entry.get("way"))


def name(results, entry):
    model = results.models.get(str(entry.get("model")))
    return (model.short if model else str(entry.get("model"))) + (f", {way(entry)}" if way(entry) else "")


def section(results):
    lead = tag("p", "Fast requests are sent at a fixed rate beside others that need the CPU for long. Those are "
                    "answered in place, where the request was taken, in another thread or in another process, as each row says.")
    if not results.mixed:
        return [lead, tag("p", "The mixed load was not measured in this run.", class_="missing")]
    return [lead, panel.group("Latency of both", [
        panel.captioned("Fast requests", "ms; p50 hollow, p99 filled", None, drawn(results, [
            (FAST50, "p50", True), (FAST99, "p99", False)], "fast")),
        panel.captioned("Heavy requests", "ms; p99", None, drawn(results, [(HEAVY99, "p99", False)], "heavy")),
        panel.notes(told(results))])]


def drawn(results, measures, which):
    rows = []
    for entry in results.mixed:
        found = [(what, measured.of(entry), hollow) for measured, what, hollow in measures]
        model = results.models.get(str(entry.get("model")))
        if model:
            rows.append(dots.Row(model, name(results, entry), [dot for dot in found if dot[1]]))
    title = f"Latency of the {which} requests"
    return dots.svg(title, "ms", rows, panel.identity("mixed", which)) or tag("p", "Not measured.", class_="missing")


def ranked(results):
    """[(p99 of the fast requests, name, entry)], the best first."""
    found = [(FAST99.of(entry), name(results, entry), entry) for entry in results.mixed]
    return sorted((one for one in found if one[0]), key=lambda one: one[0].median)


def best(results):
    """The names of the best and of all that cannot be told from it, and of the others."""
    found = ranked(results)
    if not found:
        return [], []
    first = found[0]
    level = [one for one in found if one is first or compare.better(
        first[0], one[0], False, compare.rounds_of(first[2], one[2])) == 0]
    return level, [one for one in found if one not in level]


def told(results):
    level, rest = best(results)
    said = []
    if level:
        said.append(f"The shortest p99 of the fast requests: {listed(level)}"
                    + ("; between them there is no difference." if len(level) > 1 else "."))
    said += [f"{name}: {figure.write(p99.median, 'ms')}, {words.excess(FAST99, level[0][0], p99)}."
             for p99, name, _ in rest]
    rates = [measure.OFFERED.of(entry) for entry in results.mixed]
    rates = sorted({round(rate.median) for rate in rates if rate})
    if rates:
        said.append(f"Offered: {figure.several(figure.count(rate) for rate in rates)} requests/s.")
    return said


def listed(found):
    return figure.several(f"{name} ({figure.write(p99.median, 'ms')})" for p99, name, _ in found)
