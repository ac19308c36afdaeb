"""Two servers in turn, and what their figures have to do with each other."""

import statistics

from .targets import Row


def cost(bench, server, path, kind, seconds, connections=None):
    """CPU microseconds of the server for a request."""
    before = server.cpu()
    result = bench.load.wrk(server, path, kind, connections or bench.options.connections, seconds)
    return (server.cpu() - before) / 1000 / result["requests"]


def in_turn(bench, first, second, measure, rounds):
    """What measure(server) finds of the two, round by round: the machine's speed drifts, so only neighbours are
    comparable. Who goes first alternates, so that a drift within the rounds favours neither."""
    pairs, order = [], [first, second]
    for _ in range(rounds):
        found = {server: measure(server) for server in order}
        pairs.append((found[first], found[second]))
        order.reverse()
    return pairs


def row(name, unit, pairs, target, **options):
    """The median of the ratios of neighbours, with their spread."""
    ratios = [ours / theirs for ours, theirs in pairs]
    return Row(name, unit, statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs),
               statistics.median(ratios), target, spread=(min(ratios), max(ratios)), **options)


def compare(bench, name, tenk, floor, path, kind, target, connections=None):
    for server in (tenk, floor):
        cost(bench, server, path, kind, 1, connections)
    pairs = in_turn(bench, tenk, floor, lambda server: cost(bench, server, path, kind, bench.options.seconds, connections),
                    bench.options.rounds)
    return row(name, "us", pairs, target)
