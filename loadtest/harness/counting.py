"""A server under callgrind, and what one request takes of it."""

import collections
import contextlib
import glob
import os
import re
import socket
import subprocess

from . import callgrind
from .processes import Failure, serving

USERS = 10000                                    # that a new database has
WARM = 64                                        # requests until pools are filled and the rest is as it stays


@contextlib.contextmanager
def counted(program, url, folder):
    """Yields the server; what it writes goes to the folder. It may take a while to come up."""
    out = os.path.join(folder, "callgrind.out")
    with serving("tenk-counted", None, lambda port: [
            "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program.path, "-l", f"127.0.0.1:{port}",
            "-D", url, "-w", "1"], folder, cwd=program.home) as server:
        server.out = out
        yield server


def cost(server, path, accept, depth, requests, body=None):
    """Instructions of one, by (group, function): of four times as many requests, less those of so many, by their number. So
    neither what runs by the clock nor asking for the figures counts."""
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        connection.settimeout(120)
        asked = request_of(server, path, accept, body)
        ask(server, connection, asked, depth, max(WARM, depth))
        dump(server)
        counts = []
        for many in (requests, 4 * requests):
            ask(server, connection, asked, depth, many)
            counts.append(dump(server))
    return callgrind.a_request(*counts, 3 * requests)


def request_of(server, path, accept, body):
    """One that posts the body, if there is one."""
    method, sent = "GET", ""
    if body:
        method, sent = "POST", f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: {accept}\r\n{sent}\r\n{body or ''}"


def ask(server, connection, request, depth, requests):
    """So many, on one connection, depth of them at a time. A # in one is a user, each time another."""
    rest = b""
    for first in range(0, requests, depth):
        connection.sendall("".join(request.replace("#", str((first + i) * 7919 % USERS + 1)) for i in range(depth)).encode())
        for _ in range(depth):
            rest = answer(server, connection, rest)


def answer(server, connection, got):
    """Takes one answer, and returns what has come behind it."""
    def until(enough):
        nonlocal got
        while not enough():
            more = connection.recv(1 << 20)
            if not more:
                server.fail("it closed the connection")
            got += more

    until(lambda: b"\r\n\r\n" in got)
    head, _, got = got.partition(b"\r\n\r\n")
    length = re.search(rb"^content-length: *(\d+)", head, re.IGNORECASE | re.MULTILINE)
    if not re.match(rb"HTTP/1.1 20[01] ", head) or not length:
        server.fail(f"the answer is {head[:300]!r}")
    until(lambda: len(got) >= int(length[1]))
    return got[int(length[1]):]


def dump(server):
    """What has been counted since the last time."""
    before = set(glob.glob(f"{server.out}.*"))
    done = subprocess.run(["callgrind_control", "--dump", str(server.process.pid)], capture_output=True, text=True, timeout=120)
    new = sorted(set(glob.glob(f"{server.out}.*")) - before)
    if not new:
        raise Failure(f"callgrind_control gave no figures: {(done.stdout + done.stderr).strip()[-300:]}")
    found = collections.Counter()
    for path in new:
        with open(path, errors="replace") as f:
            found.update(callgrind.read(line.rstrip("\n") for line in f))
        os.remove(path)
    return found
