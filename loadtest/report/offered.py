"""Latency at a rate that does not wait for answers: the open loop."""

from . import chart, figure, measure, panel, words
from .markup import tag
from .results import number

WHY = ("Requests are sent at a fixed rate, whether or not those before have been answered, and a latency counts from "
       "when its request was due: a closed loop, as that of wrk, stops asking while it waits, and so leaves out just "
       "the requests that a stall would have delayed (coordinated omission).")
LATENCY = [measure.P50, measure.P99, measure.P999]


def section(results):
    parts = [tag("p", WHY)]
    if not results.open:
        return [*parts, tag("p", "The open loop was not measured in this run.", class_="missing")]
    for scenario in dict.fromkeys(str(entry.get("scenario")) for entry in results.open):
        entries = [entry for entry in results.open if str(entry.get("scenario")) == scenario]
        parts.append(one(results, scenario, entries))
    return parts


def share(entry):
    found = number(entry.get("share"))
    return "\u2013" if found is None else f"{found * 100:.0f}{figure.SPACE}%"


def lines_of(results, entries, measured):
    """From the rate that was offered to a measure."""
    found = []
    for model in results.models_of(entries):
        points = [(measure.OFFERED.of(entry), measured.of(entry)) for entry in entries
                  if entry.get("model") == model.id]
        found.append(chart.Line(model, sorted((x.median, y) for x, y in points if x and y)))
    return found


def one(results, scenario, entries):
    lines = {measured: lines_of(results, entries, measured) for measured in LATENCY}
    common = chart.fitting([line for found in lines.values() for line in found], "ms")
    figures = []
    for measured, found in lines.items():
        made = chart.make(measured.title, "ms", found, "requests/s offered", y_scale=common)
        if made:
            figures.append(panel.captioned(measured.title, "ms", made.y_scale.note,
                                           chart.svg(made, panel.identity("open", scenario, measured.title))))
    shares = figure.several(dict.fromkeys(share(entry) for entry in entries))
    said = [f"Offered: {shares} of the largest throughput. {whose(results, entries)}", *behind(results, entries),
            *compared(entries)]
    return [chart.legend(results.models_of(entries)),
            panel.group(results.title(scenario), figures, "Nothing of it can be drawn."), panel.notes(said)]


def whose(results, entries):
    """Whether the models were offered the same."""
    rates = {}
    for entry in entries:
        offered = measure.OFFERED.of(entry)
        if offered:
            rates.setdefault(share(entry), []).append(offered.median)
    if all(max(found) <= 1.01 * min(found) for found in rates.values()):
        return "All models were offered the same."
    return "Each model was offered shares of a maximum of its own, so that the rates differ."


def behind(results, entries):
    """Where less was answered than was offered."""
    for entry in entries:
        offered, answered = measure.OFFERED.of(entry), measure.ANSWERED.of(entry)
        model = results.models.get(str(entry.get("model")))
        if model and offered and answered and answered.median < 0.98 * offered.median:
            yield (f"{model.short} fell behind at {share(entry)}: of {figure.write(offered.median, 'requests/s')} it "
                   f"answered {figure.count(answered.median)}.")


def alike(*entries):
    """Whether they were offered about the same: only then does a latency say by itself which is better."""
    rates = [measure.OFFERED.of(entry) for entry in entries]
    return None not in rates and max(rates).median <= 1.05 * min(rates).median


def compared(entries):
    """The two of tenk at each share."""
    for at in dict.fromkeys(share(entry) for entry in entries):
        pair = [next((entry for entry in entries if entry.get("model") == id and share(entry) == at), {})
                for id in ("async", "threads")]
        rates = [figure.count(rate.median) for rate in map(measure.OFFERED.of, pair) if rate]
        unlike = f", at {' and '.join(rates)} requests/s" if len(rates) == 2 and not alike(*pair) else ""
        for said in words.contrasts([measure.P99], *pair):
            yield f"At {at}, {said}{unlike}."
