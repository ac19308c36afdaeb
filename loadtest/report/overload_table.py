"""The steps of one server under more load than it can bear, a row each."""

from . import figure, targets
from .markup import tag
from .results import number, reach

PERCENT = figure.SPACE + "%"


def rate(name):
    return lambda entry: count(number(entry.get(f"{name}_per_second")))


def count(value):
    return figure.count(value) if value is not None else None


def ms(*path):
    return lambda entry: figure.write(number(reach(entry, path))) if number(reach(entry, path)) is not None else None


def times(entry):
    ratio = number(entry.get("p99_ratio"))
    return f"{figure.digits(ratio)}" if ratio is not None else None


def percent(*path):
    return lambda entry: f"{100 * number(reach(entry, path)):.0f}{PERCENT}" if number(reach(entry, path)) is not None else None


def back(entry):
    if "back_ms" not in entry:
        return None
    found = number(entry["back_ms"])
    return "never" if found is None else figure.digits(found)


def lost(entry):
    """What the client did not send, and answers that are neither good nor refusals."""
    found = {"other": "other", "broken": "broken"}
    said = [f"{figure.count(number(entry.get(f'{key}_per_second')))} {name}" for key, name in found.items()
            if number(entry.get(f"{key}_per_second"))]
    return ", ".join(said) or None


# title, unit, how it is written, and how it is judged
COLUMNS = [("offered", "/s", rate("offered"), None), ("not sent", "/s", rate("unsent"), None),
           ("good", "/s", rate("goodput"), None), ("good, of what is possible", "", percent("goodput_share"), targets.goodput),
           ("p50", "ms", ms("latency_ms", "p50"), None), ("p99", "ms", ms("latency_ms", "p99"), None),
           ("p99, times the usual", "", times, targets.p99), ("back after", "ms", back, targets.back),
           ("refused", "/s", rate("refused"), None), ("one refusal", "\u00b5s", ms("refusal_us"), None),
           ("else", "/s", lost, None), ("longest turn", "ms", ms("longest_turn_ms"), None),
           ("/plaintext, p99", "ms", ms("beside_ms", "/plaintext", "p99"), None),
           ("/healthz, p99", "ms", ms("beside_ms", "/healthz", "p99"), None),
           ("CPU: server", "", percent("cpu", "server"), None), ("database", "", percent("cpu", "database"), None),
           ("client", "", percent("cpu", "client"), None), ("others", "", percent("cpu", "others"), None)]


def table(results, entries, name):
    columns = [column for column in COLUMNS if any(column[2](entry) is not None for entry in entries)]
    head = tag("tr", tag("th", "step", scope="col"),
               [tag("th", title, tag("small", unit) if unit else None, scope="col") for title, unit, _, _ in columns])
    rows = [tag("tr", tag("th", step(results, entry), scope="row"), [cell(entry, *column[2:]) for column in columns])
            for entry in entries]
    return tag("div", tag("table", tag("thead", head), tag("tbody", rows)), class_="wide steps", role="region", tabindex="0",
               aria_label=f"Overload: {name}")


def step(results, entry):
    model, factor = results.models.get(str(entry.get("model"))), number(entry.get("factor"))
    said = f"{model.short if model else entry.get('model')}, {'?' if factor is None else f'{factor:g}'}x"
    notes = [note for note, true in (("the client was late", targets.late), ("the machine was busy", targets.busy))
             if true(entry)]
    return [said, tag("small", ", ".join(notes))] if notes else said


def cell(entry, write, judge):
    said = write(entry)
    if said is None:
        return tag("td", "\u2013")
    if judge and judge(entry) is False:
        return tag("td", tag("strong", said), tag("small", "missed"), class_="missed")
    return tag("td", said)
