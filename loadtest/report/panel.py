"""Charts side by side, each with its caption, and what is said about them."""

from . import chart, words
from .markup import tag


def captioned(title, unit, note, drawing):
    said = ", ".join(part for part in (unit, note) if part)
    return tag("figure", tag("figcaption", words.capital(title), tag("small", " ", said) if said else None), drawing)


def notes(said, title=None):
    said = [line for line in said if line]
    return tag("div", tag("p", title) if title else None, tag("ul", [tag("li", line) for line in said]),
               class_="notes") if said else None


def group(title, figures, missing="", lead=None):
    """figures: captioned charts and notes; without any, what is missing is said."""
    figures = [one for one in figures if one]
    return tag("section", tag("h3", title), tag("p", lead) if lead and figures else None,
               tag("div", figures, class_="charts") if figures else tag("p", missing, class_="missing"), class_="group")


def lines_of(results, scenario, measure):
    """One line a model, interrupted where a count of connections was left out."""
    counts, found = results.connections(scenario), []
    for model in results.models.values():
        points = [(count, measure.of(results.run(scenario, model.id, count))) for count in counts]
        found.append(chart.Line(model, [point if point[1] else None for point in points]))
    return found


def by_connections(results, scenario, measures, shared=True):
    """A chart for each measure that was taken; shared: they have one scale, and can be compared."""
    lines = {measure: lines_of(results, scenario, measure) for measure in measures}
    counts = results.connections(scenario)
    scale = chart.fitting([line for found in lines.values() for line in found], measures[0].unit) if shared else None
    figures = []
    for measure, found in lines.items():
        made = chart.make(measure.title, measure.unit, found, "connections", counts, scale)
        if made:
            drawing = chart.svg(made, identity(scenario, measure.title))
            unit = measure.unit if measure.unit != "bytes" else ""       # which the ticks say
            figures.append(captioned(measure.title, unit, made.y_scale.note, drawing))
    return figures


def identity(*names):
    """An id made of anything."""
    return "-".join("".join(c if c.isascii() and c.isalnum() else "-" for c in str(name).lower()) for name in names)
