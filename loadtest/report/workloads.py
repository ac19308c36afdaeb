"""The end of it: which model for which workload, and why."""

from . import compare, figure, measure, mixed, offered, overload, verdict, why, words
from .markup import tag

BEST, WHY, BESIDE = "Best model", "Why", "Beside Node and Python"
REASONS = [measure.THROUGHPUT, measure.P99, measure.CPU, measure.VOLUNTARY, measure.HELD]


def section(results):
    rows = [row(results.title(id), *of_scenario(results, id)) for id in results.scenarios]
    rows += [found for found in (open_loop(results), beside_heavy(results), beyond(results)) if found]
    head = tag("tr", [tag("th", word, scope="col") for word in ("Workload", BEST, WHY, BESIDE)])
    return [tag("p", "Best is async or threads, by throughput and p99 together; how they "
                     "differ is said beside it, in CPU and memory too. Node and Python are compared by throughput with "
                     "the better of the two."),
            tag("div", tag("table", tag("thead", head), tag("tbody", rows), class_="workloads"), class_="wide")]


def row(workload, best, reasons, others=None):
    listed = [tag("li", line) for line in reasons if line]
    return tag("tr", tag("th", workload, scope="row"),
               tag("td", [tag("p", line) for line in best], data_label=BEST, class_="best"),
               tag("td", tag("ul", listed) if listed else "\u2013", data_label=WHY),
               tag("td", others or "\u2013", data_label=BESIDE))


def of_scenario(results, id):
    found = verdict.along(results, id)
    if not found:
        return [missing(results, id)], [], None
    said = [why.of_scenario(results, id)["why"]]
    for _, counts, _ in found:
        at = results.headline(id, "async", "threads")
        at = at if at in counts else counts[-1]
        pair = [results.run(id, model, at) for model in ("async", "threads")]
        measures = REASONS if len(found) == 1 or counts is found[-1][1] else REASONS[:2]
        gaps = words.gaps(measures, *pair)
        said.append(f"At {figure.connections(at)}, {gaps}." if gaps else None)
    best = [text if len(found) > 1 else verdict.NAMES[kind] for kind, _, text in found]
    return best, said, others(results, id)


def missing(results, id):
    without = [model for model in ("async", "threads") if not results.connections(id, model)]
    return f"not measured with {figure.several(without)}" if without else "cannot be compared"


def others(results, id):
    """How many times what each of the others answers, the better of tenk's two does."""
    at = results.headline(id, "async", "threads")
    ours = [found for found in (measure.THROUGHPUT.of(results.run(id, model, at)) for model in ("async", "threads"))
            if found]
    if not ours:
        return None
    best, said = max(ours, key=lambda found: found.median), []
    for model in results.models.values():
        run = results.run(id, model.id, at)
        theirs = measure.THROUGHPUT.of(run)
        if model.id not in ("async", "threads") and theirs and theirs.median > 0:
            least = [results.run(id, ours, at) for ours in ("async", "threads")]
            how = words.difference(measure.THROUGHPUT, best, theirs, "tenk", model.short,
                                   compare.rounds_of(run, *least))
            said.append(f"{model.short}: {figure.write(theirs.median, 'requests/s')} ({how}).")
    return " ".join(said) or None


def open_loop(results):
    """By p99, where most was offered to both."""
    verdicts, reasons = [], []
    for scenario in dict.fromkeys(entry.get("scenario") for entry in results.open):
        pair = [max((entry for entry in results.open if entry.get("scenario") == scenario
                     and entry.get("model") == model and measure.OFFERED.of(entry) and measure.P99.of(entry)),
                    key=lambda entry: measure.OFFERED.of(entry).median, default={}) for model in ("async", "threads")]
        found = compare.entries(measure.P99, *pair)
        if found is not None:
            if not offered.alike(*pair) and compare.entries(measure.OFFERED, *pair) != found:
                told = "cannot be compared: the one with more offered had no shorter p99"
            else:
                told = verdict.NAMES[found]
            verdicts.append(f"{told} ({results.title(scenario)})")
            reasons.append("; ".join(words.contrasts([measure.OFFERED, measure.P99], *pair)) + ".")
    return row("A fixed rate, near the maximum (p99)", verdicts, reasons) if verdicts else None


def beside_heavy(results):
    level, rest = mixed.best(results)
    if not level:
        return None
    names = figure.several(name for _, name, _ in level)
    best = names if len(level) == 1 else f"no difference between {names}"
    return row("Fast requests beside CPU-heavy ones (p99 of the fast)", [best], mixed.told(results)[:1 + len(rest)])


def beyond(results):
    found = overload.verdict(results)
    return row("More than can be answered (goodput)", [verdict.NAMES[found]], [overload.left(results), *words.contrasts(
        [measure.GOODPUT], *(overload.last(results, model) for model in ("async", "threads")))]) \
        if found is not None else None
