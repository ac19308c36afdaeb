"""All figures: a row for every run, the median of its rounds above their spread."""

from . import figure, measure, offered
from .markup import tag
from .results import number


def section(results):
    tables = [of_scenario(results, id) for id in results.scenarios]
    tables += [
        entries(results, "Open loop", results.open, ("scenario", "share"),
                lambda entry: (results.title(str(entry.get("scenario"))), offered.share(entry)),
                [measure.OFFERED, measure.ANSWERED, *measure.LATENCIES]),
        entries(results, "Mixed load", results.mixed, ("way",), lambda entry: (entry.get("way") or "\u2013",),
                [measure.OFFERED, *named("fast", measure.FAST), *named("heavy", measure.HEAVY)]),
        entries(results, "Overload", results.overload, ("database", "connections", "depth", "times the maximum"),
                lambda entry: (entry.get("database") or "\u2013", whole(entry.get("connections")), whole(entry.get("depth")),
                               figure.write(number(entry.get("factor")))), measure.OVERLOAD)]
    tables = [table for table in tables if table]
    return tables or [tag("p", "There are no figures.", class_="missing")]


def named(which, measures):
    return [measure.Measure(f"{which}, {one.title}", one.unit, one.paths, one.more) for one in measures]


def whole(value):
    return "\u2013" if number(value) is None else figure.count(value)


def of_scenario(results, id):
    skipped = [entry for entry in results.skipped if entry.get("scenario") == id]
    return entries(results, results.title(id), results.runs_of(id), ("connections", "rounds"),
                   lambda run: (whole(run.get("connections")), whole(run.get("rounds"))), measure.ALL, skipped)


def entries(results, title, found, keys, key, measures, skipped=()):
    """measures: only those that some entry has get a column."""
    if not found and not skipped:
        return None
    measures = [one for one in measures if any(one.of(entry) for entry in found)]
    head = tag("tr", [tag("th", word, scope="col") for word in ("model", *keys)],
               [tag("th", one.title, tag("small", one.unit) if one.unit not in ("", "bytes") else None, scope="col")
                for one in measures])
    rows = [tag("tr", tag("th", who(results, entry), scope="row"), [tag("td", said) for said in key(entry)],
                [cell(one, entry) for one in measures]) for entry in found]
    rows += [tag("tr", tag("th", who(results, entry), scope="row"), tag("td", whole(entry.get("connections"))),
                 tag("td", f"left out: {entry.get('why') or 'no reason was given'}", class_="why",
                     colspan=len(measures) + len(keys) - 1)) for entry in skipped]
    many = f"{len(found)} run{'' if len(found) == 1 else 's'}" + (f", {len(skipped)} left out" if skipped else "")
    return tag("details", tag("summary", title, tag("small", f" {many}")),
               tag("div", tag("table", tag("thead", head), tag("tbody", rows)),
                   class_="wide", role="region", tabindex="0", aria_label=f"All figures: {title}"))


def who(results, entry):
    model = results.models.get(str(entry.get("model")))
    return model.short if model else entry.get("model") or "all"


def cell(one, entry):
    found = one.of(entry)
    if found is None:
        return tag("td", "\u2013")
    unit = one.unit if one.unit == "bytes" else ""
    between = figure.spread(found, unit)
    return tag("td", figure.write(found.median, unit), tag("small", between) if between else None)
