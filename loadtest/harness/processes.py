"""Servers under measurement: started on one CPU, watched, and always stopped."""

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import time

from . import accounts


class Failure(Exception):
    """Something that makes the figures worthless."""


def free_port():
    """None of those that the kernel gives to whoever asks for any, as each connection does: it stays free until it is used."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        first = int(f.read().split()[0])
    while True:
        port = random.randrange(10000, first) if first > 20000 else 0
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return s.getsockname()[1]


def pinned(cpu, command):
    """The command on one CPU (None: on any), and ended with us even if we are killed."""
    pin = [] if cpu is None else ["taskset", "-c", str(cpu)]
    return ["setpriv", "--pdeathsig", "TERM", *pin, *map(str, command)]


def stop(process, seconds=10):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Server:
    def __init__(self, name, command, port, log, **where):
        self.name, self.port, self.log = name, port, log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            start_new_session=True, **where)

    def fail(self, what):
        with open(self.log, errors="replace") as f:
            said = "".join(f.readlines()[-8:]).strip()
        raise Failure(f"{self.name}: {what}" + (f"; it said:\n{said}" if said else ""))

    def wait_until_up(self, seconds=120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.fail(f"ended with {self.process.returncode} before it served")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
                return
            time.sleep(0.05)
        self.fail(f"did not serve within {seconds} seconds")

    def get(self, path, accept="*/*"):
        return self.ask("GET", path, None, {"Accept": accept}, 200)

    def post(self, path, value):
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        return self.ask("POST", path, json.dumps(value), headers, 201)

    def ask(self, method, path, body, headers, status):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as e:
            self.fail(f"{method} {path}: {e!r}")
        finally:
            connection.close()
        if answer.status != status:
            self.fail(f"{method} {path} was answered with {answer.status}: {body[:200]!r}")
        return body

    def cpu(self):
        """Nanoseconds that all its threads have run, in user and kernel mode."""
        return accounts.used(self.process.pid)

    def resident(self):
        """Bytes of memory."""
        return accounts.memory(accounts.tree(self.process.pid))["resident"]


@contextlib.contextmanager
def serving(name, cpu, command, folder, port=None, **where):
    """Runs the server that command(port) names until the block ends. where: cwd and env, as of Popen."""
    port = port or free_port()
    server = Server(name, pinned(cpu, command(port)), port, os.path.join(folder, f"{name}.log"), **where)
    try:
        server.wait_until_up()
        yield server
        if server.process.poll() is not None:
            server.fail(f"ended with {server.process.returncode} while it was measured")
    finally:
        stop(server.process)
