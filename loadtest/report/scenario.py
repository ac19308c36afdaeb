"""All that was measured of one scenario."""

from . import chart, figure, measure, memory, panel, verdict, words
from .markup import tag

LATENCY = [measure.P50, measure.P99, measure.P999]
SWITCHING = [measure.VOLUNTARY, measure.INVOLUNTARY]


def section(results, scenario):
    told = results.scenarios.get(scenario, {})
    runs = results.runs_of(scenario)
    head = [tag("p", told["about"]) if told.get("about") else None, asked(told),
            panel.notes(panel.left_out(results, scenario))]
    if not runs:
        return [*head, tag("p", "This scenario was not measured in this run.", class_="missing")]
    return [*head, chart.legend(results.models_of(runs)), throughput(results, scenario),
            several(results, scenario, "Latency", LATENCY), processor(results, scenario),
            memory.group(results, scenario), waiting(results, scenario)]


def asked(told):
    found = [(name, told.get(key)) for name, key in (("Request", "request"), ("Load", "client")) if told.get(key)]
    return tag("dl", [[tag("dt", name), tag("dd", tag("code", said))] for name, said in found],
               class_="asked") if found else None


def several(results, scenario, title, measures):
    return panel.group(title, panel.by_connections(results, scenario, measures),
                       f"{title} was not measured in this scenario.")


def pair(results, scenario, measures):
    """The two of tenk, at the count that the report speaks of."""
    connections = results.headline(scenario, "async", "threads")
    if connections is None:
        return None, []
    return connections, words.contrasts(measures, results.run(scenario, "async", connections),
                                        results.run(scenario, "threads", connections))


def throughput(results, scenario):
    connections, said = pair(results, scenario, [measure.THROUGHPUT, *LATENCY])
    if connections is None:
        lacking = figure.several([id for id in ("async", "threads") if not results.connections(scenario, id)])
        lead, said = None, [f"Nothing to compare: {lacking or 'the same number of connections with both'} "
                            f"{'was' if lacking in ('async', 'threads', '') else 'were'} not measured here."]
    else:
        lead = f"At {figure.connections(connections)}:"
        others = words.others(results, scenario, connections, measure.THROUGHPUT)
        said += [f"Beside them: {others}." if others else None, verdict.sentence(results, scenario)]
    return panel.group("Throughput", [*panel.by_connections(results, scenario, [measure.THROUGHPUT]),
                                      panel.notes(said, lead)], "Throughput was not measured in this scenario.")


def processor(results, scenario):
    connections, said = pair(results, scenario, [measure.CPU, measure.USER, measure.SYSTEM])
    figures = panel.by_connections(results, scenario, [measure.USER, measure.SYSTEM])
    if figures and said:
        figures.append(panel.notes(said, f"At {figure.connections(connections)}, of the server alone:"))
    return panel.group("CPU per request", figures, "CPU was not measured in this scenario.")


def waiting(results, scenario):
    """Context switches and loop lag. A model without a loop has no lag, which is said."""
    figures = panel.by_connections(results, scenario, SWITCHING)
    lag = panel.by_connections(results, scenario, [measure.LAG])
    without = [model.short for model in results.models_of(results.runs_of(scenario))
               if not any(measure.LAG.of(run) for run in results.runs_of(scenario) if run.get("model") == model.id)]
    said = panel.notes([f"Loop lag was not measured for {figure.several(without)}."]) if without else None
    return panel.group("Context switches per request, and loop lag", figures + lag + ([said] if said else []),
                       "Neither switches nor loop lag were measured in this scenario.")
