"""The page: one HTML file that needs nothing else, neither a network nor JavaScript."""

import os

from . import everything, look, machine, mixed, offered, overload, scenario, summary, workloads
from .markup import Markup, tag
from .panel import identity
from .results import Results

STYLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.css")


def write(results, path):
    made = html(results)
    with open(path, "w", encoding="utf-8") as out:
        out.write(made)


def html(results):
    results = Results(results)
    found = sections(results)
    with open(STYLE, encoding="utf-8") as style:
        css = style.read() + look.css("screen and ")
    head = tag("head", tag("meta", charset="utf-8"),
               tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
               tag("meta", name="color-scheme", content="light dark"),
               tag("title", "tenk under load"), tag("style", Markup(css)))
    body = tag("body", tag("a", "To the results", href="#summary", class_="skip"), header(results), contents(found),
               tag("main", [tag("section", tag("h2", title), content, id=id) for id, title, content in found]))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def sections(results):
    """(id, title, what is in it), in the order in which they are read."""
    found = [("summary", "In short", summary.section(results))]
    found += [(f"s-{identity(id)}", results.title(id), scenario.section(results, id)) for id in results.scenarios]
    return found + [("open", "At a fixed rate", offered.section(results)),
                    ("mixed", "Fast beside heavy", mixed.section(results)),
                    ("overload", "Overload", overload.section(results)),
                    ("figures", "All figures", everything.section(results)),
                    ("machine", "Machine and commands", machine.section(results)),
                    ("workloads", "Which model for which workload", workloads.section(results))]


def header(results):
    compared = "; ".join(model.name for model in results.models.values())
    about = [str(results.made[key]) for key in ("date",) if results.made.get(key)]
    if results.machine.get("cpu"):
        about.append(str(results.machine["cpu"]))
    return tag("header", tag("h1", "tenk under load"),
               tag("p", f"Compared: {compared}." if compared else "No model was measured."),
               tag("p", " \u00b7 ".join(about), class_="soft") if about else None)


def contents(found):
    return tag("nav", tag("h2", "Contents"),
               tag("ol", [tag("li", tag("a", title, href=f"#{id}")) for id, title, _ in found]),
               aria_label="Contents")
