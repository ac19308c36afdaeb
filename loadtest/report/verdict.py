"""What a comparison came to, in words."""

from . import compare, figure, words

NAMES = {1: "async", -1: "threads", 0: "no difference", "trade": "a trade-off"}


def along(results, scenario):
    """[(verdict, connections, text)], such as "no difference at 10 to 100"; empty if nothing can be compared."""
    return [(verdict, counts, f"{NAMES[verdict]} at {words.span(counts)}")
            for verdict, counts in compare.along(results, scenario)]


def sentence(results, scenario):
    """None if nothing can be compared."""
    found = along(results, scenario)
    if not found:
        return None
    if len(found) == 1:
        verdict, counts, _ = found[0]
        where = f"each of {words.span(counts)} connections" if len(counts) > 1 else figure.connections(counts[0])
        return f"Better by throughput and p99: {NAMES[verdict]}, at {where}."
    return f"Better by throughput and p99: {figure.several(said for _, _, said in found)} connections."


def tally(results):
    """How often each verdict was reached, over all scenarios and counts of connections."""
    found = dict.fromkeys(NAMES, 0)
    for scenario in results.measured():
        for verdict, counts in compare.along(results, scenario):
            found[verdict] += len(counts)
    return found
