"""What is wanted of a server that is asked for more than it can do, and whether an entry has it."""

from .results import number, reach

GOODPUT, GOODPUT_BEYOND, BEYOND = 0.95, 0.85, 5      # of what is possible; the other one beyond so many times the maximum
P99 = 5                                              # times the usual one
BACK = 100                                           # milliseconds
LATE = 0.05                                          # of the requests: more, and the client did not keep its rate

BUSY = 0.3                                           # of a processor, used by others: more, and a figure is rough

WANTED = (f"Wanted: goodput of {GOODPUT:.0%} of what can be answered, {GOODPUT_BEYOND:.0%} beyond {BEYOND} times the maximum; a "
          f"p99 of at most {P99} times that of the first step; both {BACK} ms after a step at the latest.").replace("%", "\u00a0%")


def deep(entry):
    """Whatever was outstanding: how long that takes to go is not the server's alone."""
    return number(entry.get("depth")) == 0


def late(entry):
    share, missed = number(entry.get("late_share")) or 0, number(entry.get("missed_per_second")) or 0
    return share > LATE or missed > 0


def busy(entry):
    return (number(reach(entry, ("cpu", "others"))) or 0) > BUSY


def goodput(entry):
    """True, False, or None if it is not judged; so the others."""
    share, factor = number(entry.get("goodput_share")), number(entry.get("factor"))
    if share is None or factor is None:
        return None
    return share >= (GOODPUT if factor <= BEYOND else GOODPUT_BEYOND)


def p99(entry):
    ratio = number(entry.get("p99_ratio"))
    return None if ratio is None or deep(entry) else ratio <= P99


def back(entry):
    if deep(entry) or "back_ms" not in entry:
        return None
    found = number(entry["back_ms"])
    return found is not None and found <= BACK


JUDGED = {"goodput": goodput, "p99": p99, "time until it is back": back}


def missed(entry):
    return [name for name, met in JUDGED.items() if met(entry) is False]


def beside(entry, path):
    return number(reach(entry, ("beside_ms", path, "p99")))
