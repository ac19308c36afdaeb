"""Load generators: wrk for throughput, our own client for waiting and latency."""

import contextlib
import json
import os
import select
import subprocess

from .processes import Failure, pinned, stop

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Load:
    def __init__(self, cpu, client):
        self.cpu, self.client = cpu, client

    @contextlib.contextmanager
    def running(self, command):
        process = subprocess.Popen(pinned(self.cpu, command), stdin=subprocess.PIPE, text=True,
                                   stdout=subprocess.PIPE, start_new_session=True)
        try:
            yield process
        finally:
            stop(process)

    def wrk(self, server, path, kind, connections, seconds):
        """What wrk's script printed of a run without an error."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s",
                   "-s", os.path.join(HERE, "load.lua"), f"http://127.0.0.1:{server.port}{path}",
                   "--", *kind]
        with self.running(command) as wrk:
            result = answer_of(wrk, seconds + 30)
        if result["errors"] or not result["requests"]:
            server.fail(f"wrk {path} ({' '.join(kind)}): {result}")
        return result

    @contextlib.contextmanager
    def clients(self, server, mode, path, count, seconds, accept="*/*"):
        """The client program, from when it has said that it is ready; give it to finish()."""
        with self.running([self.client, mode, server.port, path, count, seconds, accept]) as client:
            if not select.select([client.stdout], [], [], seconds + 10)[0]:
                server.fail(f"{mode} {path}: the clients were not ready in time")
            ready = client.stdout.readline().split()
            if mode != "steady" and ready != ["ready", str(count)]:
                server.fail(f"{mode} {path}: only {ready} of {count} clients")
            yield client

    def finish(self, server, client, seconds):
        result = answer_of(client, seconds + 10)
        if result["bad"] or result["missing"]:
            server.fail(f"not every request was answered with 200: {result}")
        return result


def answer_of(process, seconds):
    try:
        out, _ = process.communicate(timeout=seconds)
        return json.loads(out.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError) as e:
        raise Failure(f"{process.args}: no result: {e!r}") from None
