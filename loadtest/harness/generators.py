"""Load: wrk in a closed loop, h2load in an open one."""

import json
import math
import os
import re
import subprocess
import tempfile

from . import figures
from .processes import Failure, pinned, stop

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONNECTS = 2500                                  # clients that connect in a second, at the least
WARM = 0.5                                       # seconds in which all clients ask already, and that do not count
HELD = 0.95                                      # of a rate: less was not that rate


def wrk_command(url, scenario, connections, seconds):
    return ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "120s", "-s", f"{HERE}/sweep.lua",
            url + scenario.path, "--", *scenario.kind()]


def closed(cpu, url, scenario, connections, seconds, meanwhile=None):
    """Runs wrk, and meanwhile() beside it; returns what its script printed."""
    process = subprocess.Popen(pinned(cpu, wrk_command(url, scenario, connections, seconds)), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        if meanwhile:
            meanwhile()
        out, _ = process.communicate(timeout=seconds + 150)
        return json.loads(out.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError) as e:
        raise Failure(f"{scenario.id}, {connections} connections: wrk gave no result ({e!r})") from None
    finally:
        stop(process)


class Arrivals:
    """Requests that come at a rate, whatever becomes of those before.

    Each of many clients asks pace times a second. They begin one after the other, within a whole number of
    their intervals, so that together they ask evenly. An interval has to be longer than an answer takes: who asks
    twice at a time waits, on a connection, for the first answer before the second."""

    def __init__(self, rate, pace, seconds, most):
        self.rate, self.seconds = rate, seconds
        self.clients = min(most, max(1, round(rate / pace)))
        self.each = rate / self.clients
        self.begin = max(1, math.ceil(self.clients / CONNECTS * self.each)) / self.each
        self.whole = self.begin + WARM + seconds

    def command(self, url, accept, log):
        several, period = self.beginners()
        paced = ["-r", str(several), f"--rate-period={period}ms"] if self.clients > 1 else []
        return ["h2load", "--h1", "-c", str(self.clients), "-n", str(self.clients * math.ceil(self.whole * self.each)),
                f"--rps={self.each:.6f}", "-m", "10000", *paced, "-H", f"Accept: {accept}", f"--log-file={log}", url]

    def beginners(self):
        """How many clients begin at a time, and after how many whole milliseconds the next ones."""
        apart = 1000 * self.begin / self.clients
        if apart >= 10:
            return 1, round(apart)
        pairs = [(max(1, round(period / apart)), period) for period in range(1, 11)]
        return min(pairs, key=lambda pair: (round(abs(pair[1] / pair[0] / apart - 1), 2), pair[1]))


class Open:
    """A run of h2load that has begun: several may run side by side."""

    def __init__(self, cpu, url, arrivals, accept="application/json"):
        self.log = tempfile.NamedTemporaryFile(prefix="tenk-open-", suffix=".log")
        self.what, self.arrivals = f"{url} at {arrivals.rate:.0f} a second", arrivals
        self.process = subprocess.Popen(
            pinned(cpu, arrivals.command(url, accept, self.log.name)), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def result(self):
        """What was offered and answered a second, and how long the answers took."""
        try:
            said, _ = self.process.communicate(timeout=self.arrivals.whole * 10 + 60)
            rows = [tuple(map(int, line.split(b"\t")[:3])) for line in self.log]
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.what}: h2load did not end") from None
        finally:
            self.end()
        return summary(rows, errors(said, self.what), self.arrivals, self.what)

    def end(self):
        stop(self.process)
        self.log.close()


def opened(*arguments):
    return Open(*arguments).result()


def errors(said, what):
    """Requests without an answer: their connection broke. They are not in the log."""
    found = re.search(r"^requests: .* (\d+) errored, (\d+) timeout", said, re.MULTILINE)
    if not found:
        raise Failure(f"{what}: h2load gave no result: {said[-300:].strip()}")
    return sum(map(int, found.groups()))


def summary(rows, unanswered, arrivals, what):
    """rows: when each request began, the status of its answer, and how long that took; times in microseconds."""
    complain(rows, unanswered, what)
    if not rows:
        raise Failure(f"{what}: h2load had no answer at all")
    begin = min(start for start, _, _ in rows) + (arrivals.begin + WARM) * 1e6
    end = begin + arrivals.seconds * 1e6
    asked = [row for row in rows if begin <= row[0] < end]
    ended = sum(begin <= start + took < end for start, _, took in rows)
    times = [took / 1000 for _, _, took in asked]
    offered = len(asked) / arrivals.seconds
    return {"offered_per_second": offered, "answered_per_second": ended / arrivals.seconds,
            "latency_ms": figures.latencies(times) if times else None, "held": offered >= HELD * arrivals.rate}


def complain(rows, unanswered, what):
    statuses = [status for _, status, _ in rows if not 200 <= status < 300]
    wrong = [f"{len(statuses):,} answers were not 2xx but {', '.join(map(str, sorted(set(statuses))))}"] if statuses else []
    wrong += [f"{unanswered:,} had no answer"] if unanswered else []
    if wrong:
        raise Failure(f"{what}: of {len(rows) + unanswered:,} requests {' and '.join(wrong)}")
