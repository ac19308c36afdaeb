"""Several in turn, and what their figures have to do with each other."""

import statistics

from .targets import Beside, Row


def in_turn(measures, rounds):
    """What each of {name: measure()} finds, round by round: the machine's speed drifts, so only neighbours are comparable.
    The order alternates, so that a drift within the rounds favours nobody."""
    found, order = [], list(measures)
    for _ in range(rounds):
        found.append({name: measures[name]() for name in order})
        order.reverse()
    return found


def beside(rounds, name, over, under):
    """The figure of one, and the median of the ratios of neighbours, with their spread."""
    ratios = [each[over] / each[under] for each in rounds]
    return Beside(statistics.median(each[name] for each in rounds), statistics.median(ratios), (min(ratios), max(ratios)))


def row(name, unit, rounds, target, **options):
    """tenk is compared with its floor, with the improved floor and the base if they are there, and a peer with the floor."""
    main = beside(rounds, "floor", "tenk", "floor")
    others = {other: beside(rounds, other, "tenk", other) for other in ("improved", "base") if other in rounds[0]}
    peers = {other: beside(rounds, other, other, "floor") for other in rounds[0]
             if other not in ("tenk", "floor", "improved", "base")}
    return Row(name, unit, statistics.median(each["tenk"] for each in rounds), main.figure, main.ratio, target,
               spread=main.spread, others=others, peers=peers, **options)


def cost(bench, server, path, kind, seconds, connections=None):
    """CPU microseconds of the server for a request."""
    before = server.cpu()
    result = bench.load.wrk(server, path, kind, connections or bench.options.connections[0], seconds)
    return (server.cpu() - before) / 1000 / result["requests"]


def compare(bench, name, unit, measures, target, warm=True, **options):
    """A row of measures(seconds) by name: tenk, floor and others."""
    for measure in measures.values() if warm else ():
        measure(1)
    now = {name: lambda measure=measure: measure(bench.options.seconds) for name, measure in measures.items()}
    return row(name, unit, in_turn(now, bench.options.rounds), target, **options)


def costs(bench, name, servers, path, kind, target, connections):
    """A row of CPU for a request. Peers take part with the first number of connections only, for the sake of time."""
    first = connections == bench.options.connections[0]
    if not first:
        servers = {name: server for name, server in servers.items() if name not in bench.peer_names()}
    return compare(bench, f"{name}, {connections} connections", "us", {
        name: lambda seconds, server=server: cost(bench, server, path, kind, seconds, connections)
        for name, server in servers.items()}, target, warm=first)
