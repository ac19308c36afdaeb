"""The results as they were measured: a dict from JSON, of which any part may be missing."""

import math
import typing

SHORT = {"async": "async", "threads": "threads", "node": "Node", "python": "Python"}
PREFERRED = 5000                             # connections of which the summary speaks, if they were measured


class Spread(typing.NamedTuple):
    median: float
    min: float
    max: float


class Model(typing.NamedTuple):
    id: str
    name: str
    short: str                               # for where there is little room
    command: str
    slot: int                                # its colour, marker and dash


def number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


def spread(value):
    """{"median", "min", "max"}, or a number alone; None if there is nothing to show."""
    if not isinstance(value, dict):
        value = {"median": value}
    median = number(value.get("median"))
    if median is None:
        return None
    low, high = (number(value.get(key)) for key in ("min", "max"))
    return Spread(median, median if low is None else min(low, median), median if high is None else max(high, median))


def named(entry):
    """With its names as words, whatever they were."""
    names = {key: entry[key] for key in ("id", "scenario", "model") if key in entry}
    return {**entry, **{key: None if value is None or isinstance(value, (dict, list)) else str(value)
                        for key, value in names.items()}}


def reach(entry, path):
    for key in path:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


class Results:
    def __init__(self, data):
        self.data = data if isinstance(data, dict) else {}
        self.made, self.machine, self.versions = (self.part(key) for key in ("made", "machine", "versions"))
        self.runs, self.open, self.mixed, self.overload, self.skipped = (
            self.entries(key) for key in ("runs", "open", "mixed", "overload", "skipped"))
        self.by_scenario = {}
        for run in self.runs:
            self.by_scenario.setdefault(run.get("scenario"), []).append(run)
        self.models = self.find_models()
        self.scenarios = self.find_scenarios()
        self.index = {(run.get("scenario"), run.get("model"), number(run.get("connections"))): run
                      for run in self.runs}

    def part(self, key):
        return self.data[key] if isinstance(self.data.get(key), dict) else {}

    def entries(self, key):
        found = self.data.get(key)
        return [named(entry) for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    def everything(self):
        return self.runs + self.open + self.mixed + self.overload

    def find_models(self):
        """Those that are introduced, and then those that were only run."""
        introduced = {str(entry["id"]): entry for entry in self.entries("models") if entry.get("id")}
        for entry in self.everything():
            if entry.get("model"):
                introduced.setdefault(str(entry["model"]), {})
        found = {}
        for id, entry in introduced.items():
            name = str(entry.get("name") or SHORT.get(id, id))
            slot = list(SHORT).index(id) if id in SHORT else len(SHORT) + sum(i not in SHORT for i in found)
            found[id] = Model(id, name, SHORT.get(id, name), str(entry.get("command") or ""), slot)
        return found

    def find_scenarios(self):
        found = {str(entry["id"]): entry for entry in self.entries("scenarios") if entry.get("id")}
        for entry in self.runs:
            if entry.get("scenario"):
                found.setdefault(str(entry["scenario"]), {})
        return found

    def measured(self):
        """The scenarios that were run, in their order."""
        return [id for id in self.scenarios if self.runs_of(id)]

    def title(self, scenario):
        return str(self.scenarios.get(scenario, {}).get("title") or scenario)

    def noun(self, scenario):
        """What is counted by the second."""
        return str(self.scenarios.get(scenario, {}).get("noun") or "requests")

    def runs_of(self, scenario):
        return self.by_scenario.get(scenario, [])

    def run(self, scenario, model, connections):
        return self.index.get((scenario, model, connections), {})

    def models_of(self, entries):
        here = {entry.get("model") for entry in entries}
        return [model for model in self.models.values() if model.id in here]

    def connections(self, scenario, *models):
        """The counts that were measured; with models, those that all of them were measured at."""
        counts = [{number(run.get("connections")) for run in self.runs_of(scenario)
                   if run.get("model") == model} for model in models or self.models]
        found = set.intersection(*counts) if models else set().union(*counts)
        return sorted(found - {None})

    def headline(self, scenario, *models):
        """The count to speak of: the preferred one, or the largest; None if there is none."""
        found = self.connections(scenario, *models)
        return PREFERRED if PREFERRED in found else found[-1] if found else None

    def rounds(self):
        """The smallest number of rounds behind a figure: one round has no spread. None if unknown."""
        found = [number(run.get("rounds")) for run in self.runs] + [number(self.made.get("rounds"))]
        return min((n for n in found if n is not None), default=None)

    def link(self):
        return str(self.made.get("link") or "")
