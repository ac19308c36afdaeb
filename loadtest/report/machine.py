"""Where and how it was measured: the machine, the versions, and the exact commands."""

from . import figure
from .markup import tag
from .results import number

LINKS = {"netem": "the kernel's netem delays the packets", "relay": "a relay between them delays what it passes on"}


def section(results):
    return [tag("h3", "The run"), pairs(run(results)),
            tag("h3", "The machine"), pairs(machine(results.machine)),
            tag("h3", "Versions"), pairs(list(results.versions.items())),
            tag("h3", "The servers"), commands([(model.name, model.command) for model in results.models.values()]),
            tag("h3", "The load"), commands([(results.title(id), told.get("client"))
                                             for id, told in results.scenarios.items()])]


def pairs(found):
    found = [(name, said) for name, said in found if said not in (None, "", [], {})]
    if not found:
        return tag("p", "Nothing was noted.", class_="missing")
    return tag("dl", [[tag("dt", name), tag("dd", plain(said))] for name, said in found], class_="facts")


def plain(said):
    if isinstance(said, list):
        return ", ".join(map(str, said))
    if isinstance(said, dict):
        return ", ".join(f"{key}: {value}" for key, value in said.items())
    return figure.count(said) if number(said) is not None else said


def commands(found):
    found = [(name, said) for name, said in found if said]
    if not found:
        return tag("p", "No command was noted.", class_="missing")
    return tag("dl", [[tag("dt", name), tag("dd", tag("code", said))] for name, said in found], class_="commands")


def run(results):
    made = results.made
    rounds, each = number(made.get("rounds")), number(made.get("seconds_each"))
    link = results.link()
    return [("Made", made.get("date")), ("Command", made.get("command")), ("Took", lasting(made.get("seconds"))),
            ("Each figure", each_figure(rounds, each)), ("Kind", "a quick run" if made.get("quick") else None),
            ("Slow links", f"{link}: {LINKS[link]}" if link in LINKS else link)]


def each_figure(rounds, each):
    if rounds is None:
        return None
    said = "one round" if rounds == 1 else f"the median of {figure.count(rounds)} rounds"
    return said + (f" of {lasting(each)}" if each is not None else "") + (
        "" if rounds == 1 else ", and the smallest and the largest of them")


def lasting(seconds):
    seconds = number(seconds)
    if seconds is None:
        return None
    if seconds < 120:
        return f"{figure.digits(seconds)} second{'' if seconds == 1 else 's'}"
    return f"{seconds / 60:,.0f} minutes"


def machine(found):
    memory = number(found.get("memory_bytes"))
    known = {"cpu": "CPU", "cores": "Cores", "kernel": "Kernel", "os": "System", "open_files": "Open files, at most",
             "server_cpu": "CPU of the server", "client_cpu": "CPU of the load"}
    said = [(title, found.get(key)) for key, title in known.items()]
    said.insert(2, ("Memory", figure.write(memory, "bytes") if memory is not None else None))
    return said + [(key, value) for key, value in found.items() if key not in known and key != "memory_bytes"]
