"""Which model for which workload, and why, in one sentence, from what was measured."""

from . import compare, figure, measure, mixed, overload, verdict, words

CLEAR = 1.5                                  # times: memory that differs by less decides nothing
FIXED, BESIDE, BEYOND = ("A fixed rate, near the maximum", "Fast requests beside CPU-heavy ones", "More than can be answered")


def rows(results):
    """[{workload, request, at (None: it has no number of clients), async, threads, best, why}], all of them texts but at."""
    found = [of_scenario(results, id) for id in results.measured()]
    return found + [one for one in (beside(results), beyond(results)) if one]


def of_scenario(results, id):
    at = results.headline(id, "async", "threads") or results.headline(id)
    pair = [results.run(id, model, at) for model in ("async", "threads")]
    along = verdict.along(results, id)
    best = "; ".join(verdict.NAMES[kind] if len(along) == 1 else text for kind, _, text in along)
    return {"workload": results.title(id), "request": str(results.scenarios[id].get("request") or ""), "at": at,
            "async": figures_of(pair[0], results.noun(id)), "threads": figures_of(pair[1], results.noun(id)),
            "best": best or "not compared", "why": sentence(results, id, at, *pair) if along else " ".join(left_out(results, id))}


def left_out(results, scenario):
    """What was skipped, and why."""
    found = []
    for entry in results.skipped:
        if entry.get("scenario") == scenario:
            model = results.models.get(str(entry.get("model")))
            who = model.short if model else entry.get("model") or "every model"
            why = entry.get("why") or "no reason was given"
            found.append(f"Left out: {who} at {figure.connections(entry.get('connections'))} ({why}).")
    return found


def figures_of(run, noun):
    throughput, p99 = measure.THROUGHPUT.of(run), measure.P99.of(run)
    said = [f"{figure.count(throughput.median)} {noun}/s" if throughput else None,
            f"p99 {figure.write(p99.median, 'ms')}" if p99 else None]
    return ", ".join(part for part in said if part) or "\u2013"


def sentence(results, id, at, *pair):
    noun, kind = results.noun(id), compare.cell(*pair)
    said = [throughput(noun, *pair), tail(*pair), processor(noun, *pair), memory(*pair), in_place(results, id, at)]
    reason = reason_of(results, id, kind)
    told = figure.several(part for part in said if part)
    return words.capital(f"{told}: {reason}." if reason else f"{told}.")


def reason_of(results, id, kind):
    reasons = results.scenarios[id].get("reasons")
    found = reasons.get({1: "async", -1: "threads", 0: "same"}.get(kind)) if isinstance(reasons, dict) else None
    return str(found) if found else None


def differing(measured, first, second):
    """(the better, the other, whose is better), as figures; None where it cannot be told."""
    a, b, found = measured.of(first), measured.of(second), compare.entries(measured, first, second)
    if not found:
        return None
    return (a, b, "async") if found == 1 else (b, a, "threads")


def throughput(noun, *pair):
    found = differing(measure.THROUGHPUT, *pair)
    if not found:
        return f"as many {noun} a second with both" if all(map(measure.THROUGHPUT.of, pair)) else None
    more, less, who = found
    how = words.excess(measure.THROUGHPUT, less, more)
    return f"{how} {noun} a second with {who}" if how.endswith("more") else f"{how.removesuffix(' as many')} the {noun} with {who}"


def tail(*pair):
    found = differing(measure.P99, *pair)
    if not found:
        return "the same p99" if all(map(measure.P99.of, pair)) else None
    less, more, who = found
    return f"the p99 {words.excess(measure.P99, less, more)} with {other(who)}"


def other(who):
    return "threads" if who == "async" else "async"


def processor(noun, *pair):
    found = differing(measure.CPU, *pair)
    if not found:
        return None
    less, more, who = found
    each = {"requests": "a request", "messages": "a message", "deliveries": "a delivery"}.get(noun, "each")
    return f"{figure.write(less.median)} \u00b5s of CPU {each} with {who} instead of {figure.digits(more.median)}"


def memory(*pair):
    """Of a client where that was measured, else of the server."""
    of_client = all(map(measure.CLIENT.of, pair))
    found = differing(measure.CLIENT if of_client else measure.HELD, *pair)
    if not found or found[1].median < CLEAR * found[0].median:
        return None
    less, more, who = found
    what = "of memory a client" if of_client else "of memory"
    return f"{figure.write(less.median, 'bytes')} {what} with {who} instead of {figure.write(more.median, 'bytes')}"


def in_place(results, id, at):
    """What the same work takes async where it is done otherwise, the first of its group. By CPU, which says more than rates that
    were not measured in turn."""
    group = results.scenarios[id].get("group")
    first = next((other for other in results.measured() if group and results.scenarios[other].get("group") == group), id)
    usual, mine = (measure.CPU.of(results.run(which, "async", at)) for which in (first, id))
    if first == id or not usual or not mine:
        return None
    here, there = figure.digits(mine.median), figure.digits(usual.median)
    return f"{here}\u00a0\u00b5s with async where \u201c{results.title(first)}\u201d takes {there}"


def beside(results):
    """By the p99 of the fast ones; more than two are compared."""
    level, rest = mixed.best(results)
    if not level:
        return None

    def of(model):
        found = [(p99, mixed.way(entry)) for p99, _, entry in (*level, *rest) if entry.get("model") == model]
        return "; ".join(f"{way}: p99 {figure.write(p99.median, 'ms')}" for p99, way in found) or "\u2013"

    names = figure.several(name for _, name, _ in level)
    return {"workload": BESIDE, "request": "", "at": None, "async": of("async"), "threads": of("threads"),
            "best": names if len(level) == 1 else f"no difference between {names}",
            "why": mixed.told(results)[0] if not rest else
            f"The p99 of the fast ones is {figure.write(level[0][0].median, 'ms')}, and "
            + figure.several(f"{words.excess(measure.FAST[1], level[0][0], p99)} with {name}" for p99, name, _ in rest) + "."}


def beyond(results):
    found = overload.verdict(results)
    if found is None:
        return None
    pair = [overload.last(results, model) for model in ("async", "threads")]
    better = differing(measure.GOODPUT, *pair)
    said = f"{words.excess(measure.GOODPUT, better[1], better[0])} good answers a second with {better[2]}" if better else \
        "as many good answers a second with both"
    where = overload.title(*overload.headline(results))
    return {"workload": BEYOND, "request": "", "at": None, "async": answered(pair[0]), "threads": answered(pair[1]),
            "best": verdict.NAMES[found],
            "why": f"At {overload.times(pair[0].get('factor'))} times what it can answer ({where}): {said}."}


def answered(entry):
    good, share = measure.GOODPUT.of(entry), overload.possible(entry)
    said = [f"{figure.count(good.median)} good answers/s" if good else None,
            f"{share:.0f} % of the most that it can" if share is not None else None]
    return ", ".join(part for part in said if part) or "\u2013"
