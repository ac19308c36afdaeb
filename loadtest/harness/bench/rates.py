"""What a request costs when no more come than are asked for: near idle, and at four fifths of the most that tenk can do."""

import contextlib
import sys

from .. import openloop
from .comparing import compare

NEAR_IDLE, SHARE = 1000, 0.8
LEAD = 0.3                                       # seconds of the rate before CPU is counted


def fixed(bench):
    rows, connections = [], bench.options.connections[0]
    postgres = bench.urls.postgres()
    for path, url, floor, kind in (("/plaintext", bench.urls.sqlite(), ["plaintext"], ["same"]),
                                   ("/users/#", postgres, ["users_postgres", postgres], ["users", "10000"])):
        with bench.contest(url, floor) as servers:
            result = bench.load.wrk(servers["tenk"], path.replace("#", "1"), kind, connections, max(2, bench.options.seconds))
            most = result["requests"] / result["microseconds"] * 1e6
            for name, rate in (("near idle", NEAR_IDLE), (f"{SHARE:.0%} of the maximum", round(SHARE * most))):
                rows.append(compare(bench, f"{path.replace('#', 'ID')}, {rate:,} a second, {name}", "us", {
                    name: lambda seconds, server=server: cost(bench, server, path, rate, seconds, connections)
                    for name, server in servers.items()}, 1.10))
    return rows


def cost(bench, server, path, rate, seconds, connections):
    """CPU microseconds for a request, by the clock of the client's own steps."""
    client = openloop.Client(bench.options.client_cpu, f"{bench.options.build}/openloop", server.port, path, connections, 0,
                             [f"{rate}:{LEAD}", f"{rate}:{seconds}"])
    with contextlib.ExitStack() as stack:
        stack.callback(client.end)
        cpu, times = [], []
        for event in client.begun():
            cpu.append(server.cpu())
            times.append(event.get("at", event.get("end")))
        counts = openloop.counts(openloop.between(client.slices(), *times[1:]))
    if counts["refused"] or counts["other"] or counts["broken"] or not counts["good"]:
        server.fail(f"{path} at {rate} a second: {counts}")
    if counts["good"] < 0.9 * rate * seconds:
        print(f"# {server.name} answered {counts['good'] / seconds:,.0f} of {rate:,} a second", file=sys.stderr, flush=True)
    return (cpu[2] - cpu[1]) / 1000 / counts["good"]
