"""More than can be answered: what is still answered well, how fast, at what cost, and how soon all is well again."""

from . import chart, compare, figure, measure, overload_table, panel, targets, words
from .markup import tag
from .results import Spread, number

DATABASES = {"postgres": "PostgreSQL", "sqlite": "SQLite"}
LEAD = ("The most that a server can answer is found first, in a closed loop; then a multiple of that is offered, whatever has "
        "been answered, and at last less than the maximum again, on the same connections. Goodput is what is answered "
        "with 200. A good server keeps its goodput, answers those whom it admits as fast as ever, refuses the rest at "
        "once and for little, and is itself again as soon as the load goes.")
DEPTH = ("Where at most so many requests of one connection are without an answer, one more is given up by the client, and "
         "counts as not sent. Without that, requests pile up unread in the kernel's buffers, where no server can refuse "
         "them: there only the goodput is judged.")
COST = ("What one refusal costs is the server's CPU in a step, less what as many good answers took when the maximum was "
        "measured, by the answers that were none.")


def section(results):
    if not results.overload:
        return [tag("p", LEAD), tag("p", "Overload was not measured in this run.", class_="missing")]
    groups = [group(results, *key) for key in keys(results)]
    return [tag("p", LEAD), tag("p", targets.WANTED), tag("p", DEPTH), tag("p", COST),
            tag("p", tallied(results)), chart.legend(results.models_of(results.overload)), groups]


def keys(results):
    """Of each table: the database, the connections, and how many requests of one may be under way."""
    return list(dict.fromkeys(key(entry) for entry in results.overload))


def key(entry):
    return str(entry.get("database")), number(entry.get("connections")), number(entry.get("depth"))


def of(results, which, model=None):
    return [entry for entry in results.overload
            if key(entry) == which and (model is None or entry.get("model") == model)]


def title(database, connections, depth):
    said = f"{DATABASES.get(database, database)}, {figure.connections(connections)}"
    if depth == 0:
        return said + ", whatever is outstanding"
    return said + (f", {figure.count(depth)} request{'' if depth == 1 else 's'} on each at most" if depth else "")


def group(results, *which):
    drawn = []
    for made in (goodput(results, which), admitted(results, which)):
        if made:
            drawn.append(panel.captioned(made.title, made.unit, made.y_scale.note,
                                         chart.svg(made, panel.identity("overload", *which, made.title))))
    name = title(*which)
    return tag("section", tag("h3", name), tag("div", drawn, class_="charts") if drawn else None,
               panel.notes(told(results, which)), overload_table.table(results, of(results, which), name), class_="group")


def upward(results, which, value):
    """A line a model, from how much is offered to a value; without the step back at the end."""
    lines, ticks = [], set()
    for model in results.models.values():
        points = {}
        for entry in of(results, which, model.id):
            x, y = number(entry.get("factor")), value(entry)
            if x is not None and x > 0 and y is not None:
                points.setdefault(x, Spread(y, y, y))
        ticks |= set(points)
        lines.append(chart.Line(model, sorted(points.items())))
    return lines, sorted(ticks)


def share(entry):
    """Of the maximum, in percent."""
    good, most = number(entry.get("goodput_per_second")), number(entry.get("maximum_per_second"))
    return 100 * good / most if good is not None and most else None


def possible(entry):
    """Of what could be answered, in percent."""
    found = number(entry.get("goodput_share"))
    return None if found is None else 100 * found


def tail(entry):
    found = measure.P99.of(entry)
    return found.median if found else None


def goodput(results, which):
    lines, ticks = upward(results, which, share)
    return chart.make("Goodput", "% of the maximum", lines, "times the maximum offered", ticks or None)


def admitted(results, which):
    lines, ticks = upward(results, which, tail)
    return chart.make("p99 of the admitted", "ms", lines, "times the maximum offered", ticks or None)


def times(factor):
    return "?" if factor is None else f"{factor:g}"


def headline(results):
    """The table to speak of."""
    return keys(results)[0] if results.overload else None


def last(results, model):
    """Where most was offered, in the table to speak of."""
    found = [entry for entry in of(results, headline(results), model) if number(entry.get("factor")) is not None]
    return max(found, key=lambda entry: number(entry["factor"]), default={})


def left(results):
    """How much of its maximum each model keeps where most is offered; None if that is not known of any."""
    found = [(model, last(results, model.id)) for model in results.models_of(results.overload)]
    found = [(f"{model.short} {share(entry):.0f}{figure.SPACE}%", number(entry["factor"]))
             for model, entry in found if entry and share(entry) is not None]
    if not found:
        return None
    return (f"At {times(found[0][1])} times the maximum ({title(*headline(results))}), this much of it is still answered "
            f"well: {figure.several(said for said, _ in found)}.")


def tallied(results):
    good = sum(not targets.missed(entry) for entry in results.overload)
    busy = sum(map(targets.busy, results.overload))
    said = f"{figure.count(good)} of {figure.count(len(results.overload))} steps have all that is wanted."
    return said + (f" In {figure.count(busy)} of them others used more than {targets.BUSY:.0%} of a processor beside server, "
                   "database and client: they are rough.".replace("%", figure.SPACE + "%") if busy else "")


def told(results, which):
    """What the steps of each model lack."""
    for model in results.models_of(of(results, which)):
        entries = of(results, which, model.id)
        lacking = [(entry, targets.missed(entry)) for entry in entries]
        lacking = [f"{step(entry, entries)} {figure.several(names)}" for entry, names in lacking if names]
        yield f"{model.short}: " + (f"missed: {'; '.join(lacking)}." if lacking
                                    else f"all of {len(entries)} steps have what is wanted.")


def step(entry, entries):
    again = any(other is not entry and other.get("factor") == entry.get("factor") for other in entries) and \
        entry is entries[-1]
    factor = number(entry.get("factor"))
    return f"{times(factor)}x" + (" again" if again else "")


def compared(results):
    return words.contrasts([measure.GOODPUT, measure.P99], last(results, "async"), last(results, "threads"))


def verdict(results):
    return compare.entries(measure.GOODPUT, last(results, "async"), last(results, "threads"))
