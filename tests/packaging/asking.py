"""Clients that ask over and over, each on a connection it keeps, and that count what becomes of every request."""

import asyncio
import collections
import itertools
import threading
import time


class Asking:
    """Runs in a thread of its own, in which enter() was called, from begin() to end().

    requests gives the bytes of the next request and what to call it; each client takes one at a time. Of count:
    answered    answers that came whole, by their status, and by the status of each name
    lost        requests that were written and have no whole answer: their names, when they were written, and why
    refused     connections that were refused, which ends that client; with persist it tries again"""

    def __init__(self, port, clients, requests, enter=lambda: None, persist=False):
        self.port, self.clients, self.requests = port, clients, iter(requests)
        self.enter, self.persist = enter, persist
        self.answered, self.lost, self.names = collections.Counter(), [], {}
        self.refused, self.slowest, self.over = 0, 0.0, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.wrong = None

    def begin(self, answers):
        """Returns when that many answers have come."""
        self.thread.start()
        return self.more(answers)

    def more(self, answers, seconds=60):
        """Waits for that many more; False if they did not come."""
        enough, deadline = self.whole() + answers, time.monotonic() + seconds
        while self.whole() < enough and time.monotonic() < deadline and self.thread.is_alive():
            time.sleep(0.01)
        return self.whole() >= enough

    def end(self):
        """Every client gets the answer it waits for, and leaves."""
        self.over = True
        self.ended()

    def ended(self, seconds=60):
        """Waits until every client has left by itself."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "clients still wait for an answer"
        if self.wrong:
            raise self.wrong

    def whole(self):
        return sum(self.answered.values())

    def run(self):
        try:
            self.enter()
            asyncio.run(self.all())
        except Exception as e:                       # for ended(), in the other thread
            self.wrong = e

    async def all(self):
        await asyncio.gather(*(self.client() for _ in range(self.clients)))

    async def client(self):
        while not self.over:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                self.refused += 1
                if not self.persist:
                    return
                await asyncio.sleep(0.01)
                continue
            try:
                await self.talk(reader, writer)
            finally:
                writer.close()

    async def talk(self, reader, writer):
        while not self.over and not reader.at_eof():
            request, name = next(self.requests)
            began = time.monotonic()
            try:
                writer.write(request)
                status, stays = await answer(reader)
            except (OSError, asyncio.IncompleteReadError) as e:
                self.lost.append((name, began, repr(e)))
                return
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answered[status] += 1
            if name:
                self.names[name] = status
            if not stays:
                return


async def answer(reader):
    """Of an answer with a length: its status, and whether the connection stays open behind it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    await reader.readexactly(int(fields["content-length"]))
    return int(head[0].split()[1]), fields.get("connection") != "close"


def gets(*paths):
    """Requests for these, in turn."""
    for path in itertools.cycle(paths):
        yield f"GET {path} HTTP/1.1\r\nHost: tenk\r\nAccept: application/json\r\n\r\n".encode(), None


def posts(user):
    """Posts of the user, each with a title of its own, which is its name."""
    for number in itertools.count():
        title = f"asked-{number}"
        body = f'{{"title": "{title}", "body": "x"}}'
        yield (f"POST /users/{user}/posts HTTP/1.1\r\nHost: tenk\r\nContent-Type: application/json\r\n"
               f"Content-Length: {len(body)}\r\n\r\n{body}").encode(), title
