"""Load: wrk in a closed loop, h2load in an open one."""

import json
import os
import subprocess
import tempfile

from . import figures
from .processes import Failure, pinned, stop

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLIENT_RATE = 20                                 # requests a second of one of h2load's clients: each 50 ms
WARM = 0.2                                       # the first part of an open run, which does not count


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


def open_command(url, path, rate, seconds, log, accept):
    """Each client asks every 50 ms, whether or not it has its last answer; they begin one after the other,
    so that all of them ask evenly. What h2load times begins when a request was due."""
    clients = max(1, round(rate / CLIENT_RATE))
    total = max(clients, round(rate * seconds))
    begin = ["-r", str(max(1, clients // 50)), "--rate-period=1ms"] if clients > 1 else []
    return ["h2load", "--h1", "-c", str(clients), "-n", str(total), f"--rps={rate / clients:.6f}", "-m", "64", *begin,
            "-H", f"Accept: {accept}", f"--log-file={log}", url + path]


class Open:
    """A run of h2load that has begun: several may run side by side."""

    def __init__(self, cpu, url, path, rate, seconds, accept="application/json"):
        self.log = tempfile.NamedTemporaryFile(prefix="tenk-open-", suffix=".log")
        self.what, self.seconds = f"{path} at {rate:.0f} a second", seconds
        self.process = subprocess.Popen(
            pinned(cpu, open_command(url, path, rate, seconds, self.log.name, accept)),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def result(self, refusals=False):
        """What was offered and answered a second, and how long answers took from when they were due."""
        try:
            self.process.wait(self.seconds * 10 + 60)
            rows = [tuple(map(int, line.split(b"\t")[:3])) for line in self.log]
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.what}: h2load did not end") from None
        finally:
            stop(self.process)
            self.log.close()
        if not rows:
            raise Failure(f"{self.what}: h2load had no answer at all")
        return summary(rows, self.what, refusals)


def opened(*arguments, refusals=False, **options):
    return Open(*arguments, **options).result(refusals)


def summary(rows, what, refusals):
    """rows: (start and duration in microseconds, with the status between)."""
    rows = [(int(start), int(status), int(took)) for start, status, took in rows]
    begun = min(start for start, _, _ in rows)
    span = max(start for start, _, _ in rows) - begun
    rows = [row for row in rows if row[0] >= begun + WARM * span]
    good = [took / 1000 for _, status, took in rows if 200 <= status < 300]
    bad = len(rows) - len(good)
    if bad and not refusals:
        statuses = sorted({status for _, status, _ in rows if not 200 <= status < 300})
        raise Failure(f"{what}: {bad} of {len(rows)} answers were not 2xx but {', '.join(map(str, statuses))}")
    asking = max(1, (1 - WARM) * span) / 1e6
    took = max(asking, (max(start + took for start, _, took in rows) - begun - WARM * span) / 1e6)
    return {"offered_per_second": len(rows) / asking, "answered_per_second": len(good) / took,
            "refused_per_second": bad / took, "latency_ms": figures.latencies(good) if good else None}
