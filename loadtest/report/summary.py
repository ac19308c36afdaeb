"""The results in short."""

from . import compare, descent, figure, measure, mixed, overload, verdict, words
from .markup import join, tag

FIRST = ("sleep", "link-10", "database", "plaintext")
SAID = [("async and threads answer {}.", measure.THROUGHPUT), ("The p99 is {}.", measure.P99),
        ("The server's CPU is {}.", measure.CPU), ("The memory held is {}.", measure.HELD),
        ("The address space is {}.", measure.VIRTUAL)]


def section(results):
    told = [line for line in (tallied(results), *map(lambda id: of(results, id), spoken_of(results)),
                              between(results), descent.told(results), beyond(results))
            if line]
    return [cautions(results), tag("ul", [tag("li", line) for line in told], class_="summary") if told else
            tag("p", "These results hold nothing that can be compared.", class_="missing"),
            tag("p", compare.RULE, class_="soft")]


def spoken_of(results):
    """The scenarios of the summary; if none of them was measured, whichever were."""
    both = [id for id in results.measured() if results.connections(id, "async", "threads")]
    return [id for id in FIRST if id in both] or both[:3]


def cautions(results):
    """What makes the figures rough, and what is missing altogether."""
    said, rounds = [], results.rounds()
    if results.made.get("quick"):
        said.append("This was a quick run: its figures are rough.")
    if rounds is not None and rounds < 2:
        said.append("Some figures are of one round only: they have no spread, and differences may be chance.")
    missing = [title for title, found in (("scenarios", results.runs), ("open loop", results.open),
                                          ("mixed load", results.mixed), ("overload", results.overload)) if not found]
    if missing:
        said.append(f"Not measured in this run: {figure.several(missing)}.")
    idle = [model.name for model in results.models.values()
            if not any(entry.get("model") == model.id for entry in results.everything())]
    if idle:
        said.append(f"Without any result: {figure.several(idle)}.")
    if results.skipped:
        many = len(results.skipped)
        said.append(f"{figure.count(many)} combination{' was' if many == 1 else 's were'} left out; each scenario "
                    "says which, and why.")
    return tag("div", [tag("p", line) for line in said], class_="cautions", role="note") if said else None


def tallied(results):
    found = verdict.tally(results)
    total = sum(found.values())
    if not total:
        return None
    said = [f"async is better in {found[1]}", f"threads in {found[-1]}", f"there is no difference in {found[0]}"]
    if found["trade"]:
        said.append(f"each is better at one of the two in {found['trade']}")
    return join(tag("b", "Throughput and p99 together. "),
                f"Of {total} combinations of scenario and connections: {figure.several(said)}.")


def of(results, id):
    """What both of tenk's models do there, and what it costs."""
    at = results.headline(id, "async", "threads")
    pair = [results.run(id, model, at) for model in ("async", "threads")]
    said = [sentence.format(found) for sentence, measured in SAID if (found := both(measured, *pair))]
    if not said:
        return None
    others = words.others(results, id, at, measure.THROUGHPUT)
    said += [f"{others}." if others else None]
    return join(tag("b", f"{results.title(id)}, {figure.connections(at)}."), *said, between=" ")


def both(measured, first, second):
    """The two figures and how they differ; None unless there are both."""
    a, b = measured.of(first), measured.of(second)
    if a is None or b is None:
        return None
    how = words.difference(measured, a, b, "async", "threads", compare.rounds_of(first, second))
    return f"{figure.write(a.median, measured.unit)} and {figure.write(b.median, measured.unit)} ({how})"


def between(results):
    said = mixed.told(results)
    return join(tag("b", "Fast requests beside heavy ones. "), said[0]) if said else None


def beyond(results):
    left = overload.left(results)
    found = both(measure.GOODPUT, *(overload.last(results, model) for model in ("async", "threads")))
    return join(tag("b", "Overload."), left, f"The goodput of async and threads there is {found}." if found else None,
                between=" ") if left else None
