"""More than can be answered: what is offered against what is still answered well."""

from . import chart, compare, figure, measure, offered, panel, words
from .markup import tag

TITLES = {measure.GOODPUT: "Goodput", measure.REFUSED: "Refused", measure.P99: "p99 latency"}


def section(results):
    lead = tag("p", "Goodput is what was answered as it should be. Beyond the most that a server can do, a good one "
                    "keeps its goodput and refuses the rest at once; one that collapses answers less than before. "
                    "On the dashed line all that is offered would be answered.")
    if not results.overload:
        return [lead, tag("p", "Overload was not measured in this run.", class_="missing")]
    entries, figures = results.overload, []
    for measured, title in TITLES.items():
        made = chart.make(title, measured.unit, offered.lines_of(results, entries, measured), "requests/s offered",
                          full=measured is measure.GOODPUT)
        if made:
            figures.append(panel.captioned(title, measured.unit, made.y_scale.note,
                                           chart.svg(made, panel.identity("overload", title))))
    return [lead, chart.legend(results.models_of(entries)),
            panel.group("Offered load against goodput", figures, "Nothing of it can be drawn."),
            panel.notes(told(results))]


def last(results, model):
    """Where most was offered."""
    found = [entry for entry in results.overload if entry.get("model") == model and measure.OFFERED.of(entry)]
    return max(found, key=lambda entry: measure.OFFERED.of(entry).median, default={})


def kept(results, model):
    """Goodput at the largest load, and the largest at any load."""
    found = [measure.GOODPUT.of(entry) for entry in results.overload if entry.get("model") == model]
    most, end = max((g.median for g in found if g), default=None), measure.GOODPUT.of(last(results, model))
    return (end.median, most) if end and most else None


def left(results):
    """How much of its best each model keeps where most is offered; None if that is not known of any."""
    found = [(model, kept(results, model.id)) for model in results.models_of(results.overload)]
    found = [f"{model.short} {100 * both[0] / both[1]:.0f}{figure.SPACE}%" for model, both in found if both]
    if not found:
        return None
    return f"Where most was offered, this much of the best goodput was left: {figure.several(found)}."


def told(results):
    said = []
    for model in results.models_of(results.overload):
        found, entry = kept(results, model.id), last(results, model.id)
        if not found:
            continue
        refused = measure.REFUSED.of(entry)
        rest = f"; {figure.write(refused.median, 'requests/s')} were refused" if refused else ""
        said.append(f"{model.short}: at {figure.write(measure.OFFERED.of(entry).median, 'requests/s')} offered, "
                    f"{figure.write(found[0], 'requests/s')} were answered well, "
                    f"{100 * found[0] / found[1]:.0f}{figure.SPACE}% of its best{rest}.")
    return said + words.contrasts([measure.GOODPUT, measure.P99], last(results, "async"), last(results, "threads"))


def verdict(results):
    return compare.entries(measure.GOODPUT, last(results, "async"), last(results, "threads"))
