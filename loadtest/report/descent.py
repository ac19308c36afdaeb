"""The sweep over connections on its way down again: whether a server is after a burst what it was before."""

from . import figure, measure
from .markup import join, tag
from .results import number

WORSE = 1.1                                  # times what it was on the way up
SHOWN = [measure.CPU, measure.THROUGHPUT, measure.P99]
LEAD = (f"The sweep goes up to the most connections and down again, in the same server, and its first row is the last. Where a "
        f"request takes more than {WORSE:g} times the CPU that it took on the way up, something has stayed behind.")


def ratio(run):
    """CPU of a request on the way down, by that on the way up; None if one is missing."""
    up, down = measure.CPU.of(run), measure.CPU.of(run.get("down") or {})
    return down.median / up.median if up and down and up.median > 0 else None


def runs(results, scenario):
    """Down again: the most connections first."""
    found = [run for run in results.runs_of(scenario) if isinstance(run.get("down"), dict) and ratio(run) is not None]
    return sorted(found, key=lambda run: (str(run.get("model")), -(number(run.get("connections")) or 0)))


def group(results, scenario):
    """None where no way down was measured."""
    found = runs(results, scenario)
    if not found:
        return None
    units = [f"{one.title}, {one.unit}" for one in SHOWN]
    head = [tag("tr", tag("th", "model", scope="col", rowspan=2), tag("th", "connections", scope="col", rowspan=2),
                [tag("th", unit, scope="colgroup", colspan=2) for unit in units], tag("th", "CPU, down by up", scope="col", rowspan=2)),
            tag("tr", [[tag("th", "up", scope="col"), tag("th", "down", scope="col")] for _ in units])]
    rows = [row(results, run) for run in found]
    table = tag("div", tag("table", tag("thead", head), tag("tbody", rows)), class_="wide", role="region", tabindex="0",
                aria_label=f"{results.title(scenario)}: up, and down again")
    return tag("section", tag("h3", "Up, and down again"), tag("p", LEAD), table, class_="group")


def row(results, run):
    model = results.models.get(str(run.get("model")))
    cells = [[cell(one.of(run)), cell(one.of(run["down"]))] for one in SHOWN]
    found = ratio(run)
    said = tag("td", tag("strong", figure.digits(found)), tag("small", "worse"), class_="missed") if found > WORSE \
        else tag("td", figure.digits(found))
    return tag("tr", tag("th", model.short if model else run.get("model"), scope="row"),
               tag("td", figure.count(number(run.get("connections")))), cells, said)


def cell(found):
    return tag("td", figure.write(found.median) if found else "\u2013")


def told(results):
    """How often it was worse; None where no way down was measured."""
    found = [(run, ratio(run)) for scenario in results.measured() for run in runs(results, scenario)]
    if not found:
        return None
    worse = [(by, run) for run, by in found if by > WORSE]
    said = f"At {len(worse)} of {len(found)} points a request took more than {WORSE:g} times the CPU of the way up"
    if worse:
        by, run = max(worse, key=lambda one: one[0])
        said += (f", {figure.digits(by)} times at worst ({results.title(run.get('scenario'))}, {run.get('model')}, "
                 f"{figure.connections(number(run.get('connections')))})")
    return join(tag("b", "Up, and down again. "), said + ".")
