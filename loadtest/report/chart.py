"""A chart of lines: one measure of several models, with a thin bar from the smallest to the largest round."""

import dataclasses

from . import figure, look, scale
from .markup import join, tag

WIDTH, HEIGHT = 330, 208
LEFT, RIGHT, TOP, BOTTOM = 52, 58, 8, 36
LETTER = 5.9                                 # how wide a letter of a label is, about
INSET = 7                                    # of the first and the last point, from the axis
APART = 11.5                                 # between two labels


@dataclasses.dataclass
class Line:
    model: object
    points: list                             # of (x, Spread), or None where the line is interrupted

    def known(self):
        return [point for point in self.points if point]


@dataclasses.dataclass
class Chart:
    title: str
    unit: str
    lines: list
    x_title: str
    x_scale: object
    y_scale: object
    full: bool = False                       # shows where y would be as much as x


def make(title, unit, lines, x_title, ticks=None, y_scale=None, x_unit="", full=False):
    """None if there is nothing to draw."""
    points = [point for line in lines for point in line.known()]
    if not points:
        return None
    x_scale = scale.Given(ticks) if ticks else scale.fitting([x for x, _ in points], x_unit)
    return Chart(title, unit, [line for line in lines if line.known()], x_title, x_scale,
                 y_scale or fitting(lines, unit), full)


def fitting(lines, unit):
    return scale.fitting([value for line in lines for _, y in line.known() for value in y], unit)


def described(chart):
    """The figures in words, for those who do not see the picture."""
    said = []
    for line in chart.lines:
        points = "; ".join(f"{figure.count(x)}: {figure.write(y.median, chart.unit)}" for x, y in line.known())
        said.append(f"{line.model.name}, by {chart.x_title}: {points}.")
    return " ".join(said)


def svg(chart, id):
    return tag("svg", tag("title", chart.title, id=f"{id}-t"), tag("desc", described(chart), id=f"{id}-d"),
               inside(chart), class_="chart", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img",
               aria_labelledby=f"{id}-t", aria_describedby=f"{id}-d")


def across(chart, x):
    return LEFT + INSET + chart.x_scale.place(x) * (WIDTH - LEFT - RIGHT - 2 * INSET)


def up(chart, y):
    return HEIGHT - BOTTOM - chart.y_scale.place(y) * (HEIGHT - BOTTOM - TOP)


def inside(chart):
    return join(grid(chart), axis(chart), full(chart) if chart.full else None,
                [drawn(chart, line, n) for n, line in enumerate(chart.lines)], ends(chart))


def grid(chart):
    for value in chart.y_scale.ticks:
        y = up(chart, value)
        yield tag("path", class_="grid", d=f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}")
        yield tag("text", figure.tick(value, chart.unit), x=LEFT - 6, y=y + 3.5, text_anchor="end")


def axis(chart):
    """A label that does not fit beside the one before it gives way to the right, as far as the margin goes."""
    bottom, free, parts = HEIGHT - BOTTOM, 0.0, []
    for value in chart.x_scale.ticks:
        x, said = across(chart, value), figure.tick(value)
        half = len(said) * LETTER / 2
        middle = max(x, free + half)
        parts.append(tag("path", class_="axis", d=f"M{x:.1f} {bottom}v4"))
        if middle - x <= half and middle + half < WIDTH:
            parts.append(tag("text", said, x=middle, y=bottom + 15, text_anchor="middle"))
            free = middle + half + 3
    return [tag("path", class_="axis", d=f"M{LEFT} {bottom}H{WIDTH - RIGHT}"), *parts,
            tag("text", chart.x_title, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 5, text_anchor="middle")]


def full(chart):
    """Where all that was offered would have been answered."""
    xs = [x for line in chart.lines for x, _ in line.known()]
    ends = [min(xs), min(max(xs), max(chart.y_scale.ticks))]
    path = "L".join(f"{across(chart, x):.1f} {up(chart, x):.1f}" for x in ends)
    return tag("path", class_="axis full", d="M" + path)


def drawn(chart, line, n):
    aside = (n - (len(chart.lines) - 1) / 2) * 2     # so that equal points can be told apart
    path, spreads, marks, pen = [], [], [], "M"
    for point in line.points:
        if point is None:
            pen = "M"
            continue
        x, y = across(chart, point[0]) + aside, up(chart, point[1].median)
        path.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
        low, high = up(chart, point[1].min), up(chart, point[1].max)
        if low - high > 1:
            spreads.append(f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 2:.1f} {low:.1f}h4M{x - 2:.1f} {high:.1f}h4")
        marks.append(tag("path", tag("title", hint(chart, line, point)), class_="mark",
                         d=look.MARKS[look.slot(line.model)], transform=f"translate({x:.1f} {y:.1f})"))
    return tag("g", tag("path", class_="line", d="".join(path)),
               tag("path", class_="spread", d="".join(spreads)) if spreads else None, marks,
               class_=f"c{look.slot(line.model)}")


def hint(chart, line, point):
    x, y = point
    between = figure.spread(y, chart.unit)
    return (f"{line.model.short}, {figure.count(x)} {chart.x_title}: {figure.write(y.median, chart.unit)}"
            + (f" ({between})" if between else ""))


def ends(chart):
    """The name of each line: beside its last point if that is free, else in the margin, pushed apart."""
    beside, margin = [], []
    for line in chart.lines:
        x, y = corner(chart, line.known()[-1])
        side = next((side for side in (1, -1) if free(chart, line, x + side * 33, y)), None)
        (margin if side is None else beside).append((y, x, line) if side is None else (y, x + 9 * side, line, side))
    margin.sort(key=lambda end: end[0])
    tops, lowest = [], HEIGHT - BOTTOM + 2
    for y, _, _ in margin:
        tops.append(max(y, tops[-1] + APART if tops else TOP))
    for n in reversed(range(len(tops))):
        tops[n] = min(tops[n], lowest)
        lowest = tops[n] - APART
    right = WIDTH - RIGHT + 12
    for (y, x, line), at in zip(margin, tops):
        yield name(line, right, at, tag("path", class_="lead", d=f"M{x + 7:.1f} {y:.1f}L{right - 2} {at:.1f}"))
    for y, x, line, side in beside:
        yield name(line, x, y, anchor="end" if side < 0 else None)


def name(line, x, y, lead=None, anchor=None):
    said = shortened(line.model.short)
    return tag("g", lead, tag("text", said, class_="end", x=x, y=y + 3.5, text_anchor=anchor),
               class_=f"c{look.slot(line.model)}")


def corner(chart, point):
    return across(chart, point[0]), up(chart, point[1].median)


def free(chart, line, x, y):
    """Whether a name whose middle is there fits into the chart, and no line passes through it."""
    if not LEFT + 33 < x < WIDTH - RIGHT - 33 or line.known()[-1][0] == max(chart.x_scale.ticks):
        return False
    for other in chart.lines:
        points, near = [corner(chart, point) for point in other.known()], 24 if other is line else 33
        for (x1, y1), (x2, y2) in zip(points, points[1:] or points):
            for step in range(21):
                if abs(x1 + (x2 - x1) * step / 20 - x) < near and abs(y1 + (y2 - y1) * step / 20 - y) < 10:
                    return False
    return True


def shortened(name, letters=8):
    return name if len(name) <= letters else name[:letters - 1] + "\u2026"


def sample(model):
    """Colour, dash and marker of a model, for a legend."""
    return tag("svg", tag("g", tag("path", class_="line", d="M1 7H33"),
                          tag("path", class_="mark", d=look.MARKS[look.slot(model)], transform="translate(17 7)"),
                          class_=f"c{look.slot(model)}"),
               class_="chart sample", viewBox="0 0 34 14", width=34, height=14, aria_hidden="true")


def legend(models):
    return tag("p", [tag("span", sample(model), " ", model.name) for model in models], class_="legend")
