"""Our own load in an open loop (openloop/), and what it has to say: counts and times by slices of 50 ms."""

import collections
import json
import math
import subprocess

from . import figures
from .processes import Failure, pinned, stop

SLICE = 50000                                    # microseconds
COUNTS = ("offered", "sent", "unsent", "missed", "late", "good", "refused", "other", "broken")


def realtime():
    """Runs a program before all others of its processor, where that is allowed: who measures must not wait."""
    command = ["chrt", "--rr", "1"]
    try:
        return command if subprocess.run([*command, "true"], capture_output=True).returncode == 0 else []
    except OSError:
        return []


class Client:
    """One that runs. steps: as in openloop/steps.h."""

    def __init__(self, cpu, program, port, path, connections, depth, steps):
        self.what = f"{path} on {connections} connections"
        words = [*realtime(), program, port, path, connections, depth, *steps]
        self.process = subprocess.Popen(pinned(cpu, words), text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, start_new_session=True)

    def begun(self):
        """Each step when it begins, and then the end."""
        for line in self.process.stdout:
            found = json.loads(line)
            yield found
            if "end" in found:
                return
        raise Failure(f"{self.what}: {self.process.stderr.read().strip() or 'the client gave no result'}")

    def slices(self):
        try:
            return [json.loads(line) for line in self.process.stdout]
        finally:
            self.end()

    def end(self):
        stop(self.process)
        self.process.stdout.close()
        self.process.stderr.close()


def meanwhile(client):
    """Ends a client that was to go on for longer, and returns its slices."""
    client.process.terminate()
    for _ in client.begun():
        pass
    return client.slices()


def between(slices, begin, end):
    return [one for one in slices if begin <= one["at"] < end]


def counts(slices):
    return {name: sum(one[name] for one in slices) for name in COUNTS}


class Times:
    """How often which time, in milliseconds."""

    def __init__(self, slices):
        self.counts = collections.Counter()
        for one in slices:
            for us, count in one["times_us"].items():
                self.counts[int(us) / 1000] += count
        self.total = sum(self.counts.values())

    def percentile(self, share):
        rank, seen = max(1, math.ceil(share / 100 * self.total - 1e-9)), 0
        for ms in sorted(self.counts):
            seen += self.counts[ms]
            if seen >= rank:
                return ms
        return None

    def all(self):
        """None if there was nothing to measure."""
        return {name: self.percentile(share) for name, share in figures.PERCENTILES.items()} if self.total else None
