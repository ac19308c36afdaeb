"""A mixed load for a long time: what people do, what they do by mistake, and what they do at once."""

import concurrent.futures
import contextlib
import http.client
import json
import random
import socket
import struct
import subprocess
import threading
import time

from . import openloop
from .load import HERE
from .processes import pinned, stop

ROUND = 25                                       # seconds, the last few of them at rest
REST = 4
SLEEPERS, BURST, SLOW, ABORTED = 3000, 20000, 50, 200
EVERY = 4                                        # rounds, of an import
LINE = json.dumps({"user_id": 7, "title": "Imported", "body": "Some **words**. " * 20}) + "\n"


class Mix:
    """Rounds of all parts side by side. A part says how many answers it had, and none of them has to be a good one."""

    def __init__(self, server, build, cpu=None):
        self.server, self.build, self.cpu = server, build, cpu
        self.rounds, self.answers, self.over = 0, {}, threading.Event()

    def round(self):
        """All parts, until a few seconds before its end."""
        until = time.monotonic() + ROUND - REST
        parts = [self.asked, self.posts, self.asleep, self.burst, self.slow_readers, self.aborted]
        parts += [self.imported] if self.rounds % EVERY == 0 else []
        with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
            for part, done in [(part, pool.submit(part, until)) for part in parts]:
                self.answers[part.__name__] = self.answers.get(part.__name__, 0) + done.result()
        self.rounds += 1

    def run(self, *command):
        """The last line that a program prints, as JSON; an empty dictionary if it prints none."""
        process = subprocess.Popen(pinned(self.cpu, command), text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            out, _ = process.communicate(timeout=ROUND + 30)
            return json.loads(out.strip().splitlines()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            return {}
        finally:
            stop(process)

    def wrk(self, path, seconds, *kind):
        url = f"http://127.0.0.1:{self.server.port}{path}"
        return self.run("wrk", "-t1", "-c64", f"-d{seconds}s", "-s", f"{HERE}/load.lua", url, "--", *kind).get("requests", 0)

    def asked(self, until):
        kinds = [("/plaintext", "same"), ("/users/1", "users", "10000"), ("/users/1", "pages", "10000"), ("/users/2", "json")]
        seconds = max(1, int((until - time.monotonic()) / len(kinds)))
        return sum(self.wrk(path, seconds, *kind) for path, *kind in kinds)

    def posts(self, until):
        answered = 0
        while time.monotonic() < until and not self.over.wait(0.05):
            answered += self.ask("POST", f"/users/{random.randint(1, 10000)}/posts", "application/json",
                                 json.dumps({"title": "One of many", "body": "Some **words**."}))
        return answered

    def imported(self, until):
        return self.ask("POST", "/import", "application/x-ndjson", LINE * 3000)

    def ask(self, method, path, kind, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request(method, path, body, {"Content-Type": kind})
            connection.getresponse().read()
            return 1
        return 0

    def asleep(self, until):
        """Thousands who wait at once, and leave."""
        answered = 0
        for path in ("/sleep", "/sleep/promise"):
            answered += self.run(f"{self.build}/client", "burst", self.server.port, f"{path}?ms=500", SLEEPERS,
                                 10).get("answered", 0)
        return answered

    def burst(self, until):
        """More than there is time for, now and then."""
        answered = 0
        while time.monotonic() < until - 2:
            client = openloop.Client(self.cpu, f"{self.build}/openloop", self.server.port, "/users/#", 256, 8, [f"{BURST}:1"])
            try:
                list(client.begun())
                counts = openloop.counts(client.slices())
                answered += counts["good"] + counts["refused"] + counts["other"]
            finally:
                client.end()
            self.over.wait(4)
        return answered

    def slow_readers(self, until):
        """They ask for much, and take a little of it each second."""
        with contextlib.ExitStack() as stack:
            readers = []
            for _ in range(SLOW):
                with contextlib.suppress(OSError):
                    s = stack.enter_context(socket.create_connection(("127.0.0.1", self.server.port), 5))
                    s.sendall(b"GET /users/2 HTTP/1.1\r\nHost: here\r\nAccept: application/json\r\n\r\n" * 32)
                    s.setblocking(False)
                    readers.append(s)
            while time.monotonic() < until and not self.over.wait(1):
                for s in readers:
                    with contextlib.suppress(OSError):
                        s.recv(1000)
        return len(readers)

    def aborted(self, until):
        """They leave in the middle of a head, of a body, or while they wait for an answer."""
        starts = (b"GET /users/1 HTTP/1.1\r\nHo", b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\nabc",
                  b"GET /users/3 HTTP/1.1\r\nHost: here\r\n\r\n", b"GET /sleep?ms=5000 HTTP/1.1\r\nHost: here\r\n\r\n")
        left = 0
        while time.monotonic() < until and not self.over.wait(1):
            for n in range(ABORTED // 4):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.server.port), 5) as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", n % 2, 0))
                    s.sendall(starts[n % len(starts)])
                    left += 1
        return left
