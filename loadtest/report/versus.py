"""The models of one scenario side by side, at the count of connections of which the report speaks."""

from . import compare, figure, measure, verdict, words
from .markup import tag

ROWS = [measure.THROUGHPUT, measure.P50, measure.P99, measure.P999, measure.USER, measure.SYSTEM,
        measure.VOLUNTARY, measure.INVOLUNTARY, measure.THREADS, measure.HELD, measure.CLIENT]


def table(results, scenario):
    """None if nothing was measured."""
    at = results.headline(scenario, "async", "threads") or results.headline(scenario)
    models = results.models_of(results.runs_of(scenario))
    runs = {model.id: results.run(scenario, model.id, at) for model in models}
    rows = [row(measured, models, runs) for measured in ROWS if any(map(measured.of, runs.values()))]
    if not rows:
        return None
    names = [tag("th", model.short, scope="col") for model in models]
    names.insert(compared(models), tag("th", "difference", scope="col", class_="why"))
    head = tag("tr", tag("th", f"At {figure.connections(at)}", scope="col"), names)
    return tag("div", tag("table", tag("thead", head), tag("tbody", rows)), class_="wide", role="region", tabindex="0",
               aria_label=f"{results.title(scenario)}, at {figure.connections(at)}")


def compared(models):
    """Where the comparison stands: behind the two of tenk."""
    return sum(model.id in ("async", "threads") for model in models)


def row(measured, models, runs):
    unit = measured.unit if measured.unit != "bytes" else ""
    cells = [cell(measured, runs[model.id]) for model in models]
    cells.insert(compared(models), tag("td", between(measured, runs), class_="why"))
    return tag("tr", tag("th", words.capital(measured.title), tag("small", unit) if unit else None, scope="row"),
               cells)


def cell(measured, run):
    found = measured.of(run)
    unit = measured.unit if measured.unit == "bytes" else ""
    return tag("td", figure.write(found.median, unit) if found else "\u2013")


def between(measured, runs):
    first, second = runs.get("async", {}), runs.get("threads", {})
    a, b = measured.of(first), measured.of(second)
    if a is None or b is None:
        return "cannot be compared"
    return words.difference(measured, a, b, "async", "threads", compare.rounds_of(first, second))


def group(results, scenario):
    """With the verdict, or why there is none."""
    said = verdict.sentence(results, scenario) or lacking(results, scenario)
    return tag("div", table(results, scenario), tag("p", said), class_="versus")


def lacking(results, scenario):
    without = [id for id in ("async", "threads") if not results.connections(scenario, id)]
    if not without:
        return "async and threads were measured at different numbers of connections, and cannot be compared."
    return f"{figure.several(without)} {'was' if len(without) == 1 else 'were'} not measured here: nothing to compare."
