"""A chart of dots: several rows, each with a few figures on one axis."""

import dataclasses

from . import figure, look, scale
from .chart import LETTER
from .markup import join, tag

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 330, 26, 106, 16, 4, 36


@dataclasses.dataclass
class Row:
    model: object
    name: str
    dots: list                               # of (what, Spread, hollow)


def described(rows, unit):
    return " ".join(f"{row.name}: " + "; ".join(f"{what} {figure.write(found.median, unit)}"
                                                for what, found, _ in row.dots) + "." for row in rows)


def svg(title, unit, rows, id):
    """None if there is nothing to draw."""
    rows = [row for row in rows if row.dots]
    if not rows:
        return None
    fitted = scale.fitting([value for row in rows for _, found, _ in row.dots for value in found], unit)
    height = TOP + ROW * len(rows) + BOTTOM
    return tag("svg", tag("title", title, id=f"{id}-t"), tag("desc", described(rows, unit), id=f"{id}-d"),
               axis(fitted, unit, height),
               [drawn(row, fitted, unit, TOP + ROW * (n + 0.5)) for n, row in enumerate(rows)],
               class_="chart", viewBox=f"0 0 {WIDTH} {height}", role="img",
               aria_labelledby=f"{id}-t", aria_describedby=f"{id}-d")


def across(fitted, value):
    return LEFT + fitted.place(value) * (WIDTH - LEFT - RIGHT)


def axis(fitted, unit, height):
    bottom, free, parts = height - BOTTOM, 0.0, []
    for value in fitted.ticks:
        x, said = across(fitted, value), figure.tick(value, unit)
        parts.append(tag("path", class_="grid", d=f"M{x:.1f} {TOP}V{bottom}"))
        half = len(said) * LETTER / 2
        if x - half > free:
            parts.append(tag("text", said, x=x, y=bottom + 14, text_anchor="middle"))
            free = x + half + 3
    note = f"{unit}, {fitted.note}" if fitted.note else unit
    return join(parts, tag("text", note, x=(LEFT + WIDTH - RIGHT) / 2, y=height - 5, text_anchor="middle"))


def drawn(row, fitted, unit, y):
    parts = [tag("text", row.name, class_="end", x=LEFT - 10, y=y + 3.5, text_anchor="end")]
    for n, (what, found, hollow) in enumerate(row.dots):
        at = y + (n - (len(row.dots) - 1) / 2) * 6
        x, low, high = (across(fitted, value) for value in found)
        if high - low > 1:
            parts.append(tag("path", class_="spread", d=f"M{low:.1f} {at:.1f}H{high:.1f}"))
        between = figure.spread(found, unit)
        hint = f"{row.name}, {what}: {figure.write(found.median, unit)}" + (f" ({between})" if between else "")
        parts.append(tag("path", tag("title", hint), class_="mark hollow" if hollow else "mark",
                         d=look.MARKS[look.slot(row.model)], transform=f"translate({x:.1f} {at:.1f})"))
    return tag("g", parts, class_=f"c{look.slot(row.model)}")
