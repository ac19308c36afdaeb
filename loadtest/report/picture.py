"""The picture for a document: the most telling charts, in one SVG file that stands alone."""

from . import chart, look, measure, overload, words
from .markup import Markup, join, tag
from .panel import lines_of
from .results import Results

PANELS = [("sleep", measure.THROUGHPUT), ("link-10", measure.P99), ("sleep", measure.HELD),
          ("database", measure.THROUGHPUT), ("plaintext", measure.THROUGHPUT), ("plaintext", measure.P99),
          ("database", measure.HELD)]
MOST, ACROSS = 4, 2                          # of these; those of overload come behind them
GAP, HEAD, TITLE = 24, 64, 40


def write(results, path):
    made = '<?xml version="1.0" encoding="UTF-8"?>\n' + svg(results) + "\n"
    with open(path, "w", encoding="utf-8") as out:
        out.write(made)


def svg(results):
    results = Results(results)
    panels = chosen(results)
    down = max(1, -(-len(panels) // ACROSS))
    width = GAP + ACROSS * (chart.WIDTH + GAP)
    height = HEAD + down * (TITLE + chart.HEIGHT) 
    said = " ".join(f"{title} {chart.described(made)}" for title, made in panels) or "Nothing was measured."
    return tag("svg", tag("title", "tenk under load", id="t"), tag("desc", said, id="d"),
               tag("style", Markup(look.css())),
               tag("rect", class_="paper", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=8),
               tag("text", "tenk under load", class_="title big", x=GAP, y=32),
               legend(results, panels), [placed(n, *panel) for n, panel in enumerate(panels)],
               None if panels else tag("text", said, x=GAP, y=HEAD + TITLE),
               xmlns="http://www.w3.org/2000/svg", class_="chart", viewBox=f"0 0 {width} {height}", width=width,
               height=height, role="img", aria_labelledby="t", aria_describedby="d")


def chosen(results):
    """(title, chart) of the first of PANELS that were measured; then of whatever was."""
    found = []
    for id, measured in PANELS + [(id, measure.THROUGHPUT) for id in results.measured()]:
        title = f"{results.title(id)}: {measured.title}"
        made = chart.make(title, measured.unit, lines_of(results, id, measured), "connections",
                          results.connections(id))
        if made and len(found) < MOST and title not in [before for before, _ in found]:
            found.append((title, made))
    return found + beyond(results)


def beyond(results):
    """What is left, and how fast, when more is asked for."""
    which = overload.headline(results)
    made = [overload.goodput(results, which), overload.admitted(results, which)] if which else []
    return [(f"Overload on {overload.DATABASES.get(which[0], which[0])}: {words.uncapital(one.title)}", one)
            for one in made if one]


def placed(n, title, made):
    x = GAP + n % ACROSS * (chart.WIDTH + GAP)
    y = HEAD + n // ACROSS * (TITLE + chart.HEIGHT)
    note = ", ".join(part for part in (made.unit if made.unit != "bytes" else "", made.y_scale.note) if part)
    return tag("g", tag("text", chart.shortened(title, 48), class_="title", x=0, y=12),
               tag("text", note, x=0, y=27), tag("g", chart.inside(made), transform=f"translate(0 {TITLE - 6})"),
               transform=f"translate({x} {y})")


def legend(results, panels):
    shown = {line.model for _, made in panels for line in made.lines}
    parts, x = [], float(GAP)
    for model in results.models.values():
        if model in shown:
            parts.append(tag("g", tag("path", class_="line", d="M0 0H34"),
                             tag("path", class_="mark", d=look.MARKS[look.slot(model)], transform="translate(17 0)"),
                             tag("text", model.name, x=41, y=3.5), class_=f"c{look.slot(model)}",
                             transform=f"translate({x:.0f} 50)"))
            x += 41 + len(model.name) * chart.LETTER + 22
    return join(parts)
