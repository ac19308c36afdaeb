"""The README's table, in Markdown."""

import re

from . import figure, measure, verdict
from .results import Results


def markdown(results):
    """A row a scenario, at the count of connections of which the report speaks."""
    results = Results(results)
    models = list(results.models.values())
    lines = [row(["workload", "connections", *(model.name for model in models), "better: async or threads"]),
             row(["---", "---:", *["---:"] * len(models), "---"])]
    for id in results.measured():
        at = results.headline(id, "async", "threads") or results.headline(id)
        cells = [cell(results.run(id, model.id, at)) for model in models]
        found = "; ".join(verdict.NAMES[kind] if len(counts) == len(results.connections(id)) else text
                          for kind, counts, text in verdict.along(results, id))
        lines.append(row([results.title(id), "" if at is None else figure.count(at), *cells, found or "not compared"]))
    return "\n".join(lines) + "\n"


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
