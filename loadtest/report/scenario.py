"""All that was measured of one scenario."""

from . import chart, descent, figure, measure, memory, panel, versus, why
from .markup import tag

LATENCY = [measure.P50, measure.P99, measure.P999]
PROCESSOR = [measure.USER, measure.SYSTEM, measure.CPU]
SWITCHING = [measure.VOLUNTARY, measure.INVOLUNTARY]


def section(results, scenario):
    told = results.scenarios.get(scenario, {})
    runs = results.runs_of(scenario)
    head = [tag("p", told["about"]) if told.get("about") else None, asked(told),
            panel.notes(why.left_out(results, scenario))]
    if not runs:
        return [*head, tag("p", "This scenario was not measured in this run.", class_="missing")]
    return [*head, chart.legend(results.models_of(runs)), throughput(results, scenario),
            descent.group(results, scenario), several(results, scenario, "Latency", LATENCY),
            several(results, scenario, "CPU of the server", PROCESSOR), memory.group(results, scenario), waiting(results, scenario)]


def asked(told):
    found = [(name, told.get(key)) for name, key in (("Request", "request"), ("Load", "client")) if told.get(key)]
    return tag("dl", [[tag("dt", name), tag("dd", tag("code", said))] for name, said in found],
               class_="asked") if found else None


def several(results, scenario, title, measures):
    return panel.group(title, panel.by_connections(results, scenario, measures),
                       f"{title} was not measured in this scenario.")


def throughput(results, scenario):
    return panel.group("Throughput", [*panel.by_connections(results, scenario, [measure.THROUGHPUT]),
                                      versus.group(results, scenario)])


def waiting(results, scenario):
    """Context switches and loop lag. A model without a loop has no lag, which is said."""
    figures = panel.by_connections(results, scenario, SWITCHING)
    lag = panel.by_connections(results, scenario, [measure.LAG])
    without = [model.short for model in results.models_of(results.runs_of(scenario))
               if not any(measure.LAG.of(run) for run in results.runs_of(scenario) if run.get("model") == model.id)]
    said = tag("p", f"Loop lag was not measured for {figure.several(without)}.", class_="soft") if without else None
    return [panel.group("Context switches and loop lag", figures + lag,
                        "Neither switches nor loop lag were measured in this scenario."), said]
