"""The results in short."""

from . import figure, measure, mixed, overload, scenario, verdict, words
from .markup import join, tag

FIRST = ("sleep", "link-10", "database", "plaintext")
MEASURES = [measure.THROUGHPUT, measure.P99, measure.CPU, measure.HELD, measure.THREADS]


def section(results):
    told = [line for line in (tallied(results), *map(lambda id: of(results, id), spoken_of(results)),
                              between(results), beyond(results)) if line]
    return [cautions(results), tag("ul", [tag("li", line) for line in told], class_="summary") if told else
            tag("p", "These results hold nothing that can be compared.", class_="missing")]


def spoken_of(results):
    """The scenarios of the summary; if none of them was measured, whichever were."""
    both = [id for id in results.measured() if results.connections(id, "async", "threads")]
    return [id for id in FIRST if id in both] or both[:3]


def cautions(results):
    """What makes the figures rough, and what is missing altogether."""
    said, rounds = [], results.rounds()
    if results.made.get("quick"):
        said.append("This was a quick run: its figures are rough, and some combinations were left out.")
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
    connections, said = scenario.pair(results, id, MEASURES)
    if not said:
        return None
    others = words.others(results, id, connections, measure.THROUGHPUT)
    beside = f" Beside them: {others}." if others else ""
    return join(tag("b", f"{results.title(id)}, {figure.connections(connections)}. "), "; ".join(said) + "." + beside)


def between(results):
    said = mixed.told(results)
    return join(tag("b", "Fast requests beside heavy ones. "), said[0]) if said else None


def beyond(results):
    said = overload.told(results)
    return join(tag("b", "Overload. "), " ".join(line.removesuffix(".") + "." for line in said)) if said else None
