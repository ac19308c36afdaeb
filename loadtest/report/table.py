"""The tables of docs/performance.md, in Markdown."""

import re

from . import figure, measure, overload, targets, why
from .results import Results


def markdown(results):
    """A row a scenario, at the count of connections of which the report speaks."""
    results = Results(results)
    return "\n".join(part for part in (workloads(results), others(results), beyond(results)) if part)


def workloads(results):
    """Which of tenk's modes suits what, and why."""
    lines = [row(["workload", "clients", "async", "threads", "best model", "why"]),
             row(["---", "---:", "---", "---", "---", "---"])]
    for one in why.rows(results):
        lines.append(row([one["workload"], "" if one["at"] is None else figure.count(one["at"]),
                          *(one[key] for key in ("async", "threads", "best", "why"))]))
    return "\n".join(lines) + "\n"


def others(results):
    """What the models besides tenk's two did at the same; empty if there were none."""
    models = [model for model in results.models.values() if model.id not in ("async", "threads")]
    lines = []
    for id in results.measured():
        at = results.headline(id, "async", "threads") or results.headline(id)
        cells = [cell(results.run(id, model.id, at)) for model in models]
        if any(found != "\u2013" for found in cells):
            lines.append(row([results.title(id), figure.count(at), *cells]))
    head = [row(["workload", "connections", *(model.name for model in models)]), row(["---", "---:", *["---:"] * len(models)])]
    return "\n".join(head + lines) + "\n" if lines else ""


def beyond(results):
    """A row for each server under more load than it can bear: goodput and p99, step by step."""
    if not results.overload:
        return ""
    lines, entries = [], results.overload
    steps = max((overload.of(results, *one) for one in servers(results)), key=len)
    lines.append(row(["overload", *(overload.step(entry, steps) for entry in steps)]))
    lines.append(row(["---", *["---:"] * len(steps)]))
    for which, model in servers(results):
        entries = overload.of(results, which, model)
        name = results.models[model].short if model in results.models else model
        lines.append(row([f"{overload.title(*which)}, {name}", *map(good, entries), *[""] * (len(steps) - len(entries))]))
    return "\n".join(lines) + "\n"


def servers(results):
    return [(which, model.id) for which in overload.keys(results)
            for model in results.models_of(overload.of(results, which))]


def good(entry):
    """What is answered well of what can be, and how fast; what is missed has a mark."""
    share, p99 = overload.possible(entry), measure.P99.of(entry)
    said = [f"{share:.0f} %" if share is not None else None, figure.write(p99.median, "ms") if p99 else None]
    return (", ".join(part for part in said if part) or "\u2013") + (" (missed)" if targets.missed(entry) else "")


def cell(run):
    throughput, p99 = measure.THROUGHPUT.of(run), measure.P99.of(run)
    said = [figure.count(throughput.median) + "/s" if throughput else None,
            f"p99 {figure.write(p99.median, 'ms')}" if p99 else None]
    return ", ".join(part for part in said if part) or "\u2013"


def row(cells):
    return "| " + " | ".join(plain(cell) for cell in cells) + " |"


def plain(text):
    """Nothing in it is Markdown or HTML."""
    text = re.sub(r"\s+", " ", str(text).replace(figure.SPACE, " "))
    return re.sub(r"([\\|`*_\[\]~])", r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;")
