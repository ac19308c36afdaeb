"""Clients of a server that is replaced meanwhile: requests on connections that are kept, posts, events and websockets. Each counts
what it got, and says what failed: a connection that was refused or reset, an answer that is not whole or no 2xx or 3xx, a
stream or a websocket that ended without saying so."""

import asyncio
import base64
import os
import time


class Broken(Exception):
    pass


async def read_head(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    return int(head[0].split(" ")[1]), fields


async def read_answer(reader):
    """Its status, and whether the connection goes on."""
    status, fields = await read_head(reader)
    if "content-length" in fields:
        await reader.readexactly(int(fields["content-length"]))
    elif fields.get("transfer-encoding") == "chunked":
        while await read_chunk(reader):
            pass
    return status, fields.get("connection") != "close"


async def read_chunk(reader):
    """False: it was the last one."""
    size = int(await reader.readuntil(b"\r\n"), 16)
    await reader.readexactly(size + 2)
    return size > 0


def frame(kind, text):
    """A masked one with that text (RFC 6455, 5.2), of less than 126 bytes."""
    mask = os.urandom(4)
    return bytes((0x80 | kind, 0x80 | len(text))) + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(text))


async def read_frame(reader):
    first, length = await reader.readexactly(2)
    return first & 0x0f, await reader.readexactly(length)


TEXT, CLOSE, PING = 1, 8, 9
GOING_AWAY = 1001


class Clients:
    def __init__(self, port, askers):
        self.port, self.askers = port, askers
        self.answered = self.posted = self.streams = self.sockets = self.echoes = 0
        self.failed, self.slowest, self.over, self.running = [], 0.0, False, []

    def begin(self):
        kinds = [self.ask] * self.askers + [self.post] * 2 + [self.follow] * 2 + [self.echo] * 2
        self.running = [asyncio.create_task(self.again(kind, number)) for number, kind in enumerate(kinds)]

    async def more(self, answers):
        enough = self.answered + answers
        while self.answered < enough and not self.failed:
            await asyncio.sleep(0.005)

    async def end(self):
        self.over = True
        await asyncio.wait(self.running, timeout=2)          # but for streams, which do not end by themselves
        for one in self.running:
            one.cancel()

    def summary(self):
        return (f"{self.answered} requests answered, {self.posted} of them posts, {self.echoes} messages echoed, {self.streams} "
                f"streams and {self.sockets} websockets ended by the server; the slowest answer took "
                f"{1000 * self.slowest:.0f} ms; {len(self.failed)} failed")

    async def again(self, kind, number):
        """One connection after the other."""
        while not self.over:
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                await kind(reader, writer, number)
            except (OSError, asyncio.IncompleteReadError, ValueError, Broken) as failure:
                self.failed.append(f"{kind.__name__}: {failure!r}")
            finally:
                if writer:
                    writer.close()

    async def request(self, reader, writer, request):
        before = time.monotonic()
        writer.write(request)
        status, goes_on = await read_answer(reader)
        self.slowest = max(self.slowest, time.monotonic() - before)
        if not 200 <= status < 400:
            raise Broken(f"{status} for {request[:40]}")
        self.answered += 1
        return goes_on

    async def ask(self, reader, writer, number):
        paths = ("/users/42", "/json", "/plaintext", "/sleep?ms=3")
        goes_on, count = True, number
        while goes_on and not self.over:
            count += 1
            goes_on = await self.request(reader, writer, f"GET {paths[count % len(paths)]} HTTP/1.1\r\nHost: t\r\n\r\n".encode())

    async def post(self, reader, writer, number):
        goes_on = True
        while goes_on and not self.over:
            body = f"title=restart+{number}&body=b"
            goes_on = await self.request(reader, writer, (
                f"POST /users/{number + 50}/posts HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
            self.posted += 1
            await asyncio.sleep(0.01)

    async def follow(self, reader, writer, number):
        """Events, to the end that the server makes of them."""
        writer.write(f"GET /events/users/{number + 50} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        status, _ = await read_head(reader)
        if status != 200:
            raise Broken(f"{status} for events")
        while await read_chunk(reader):
            pass
        self.streams += 1

    async def echo(self, reader, writer, number):
        """Messages, until the server says that it goes away."""
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(f"GET /ws/echo HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        status, _ = await read_head(reader)
        if status != 101:
            raise Broken(f"{status} for a websocket")
        while not self.over:
            writer.write(frame(TEXT, b"hello"))
            kind, text = await read_frame(reader)
            if kind == CLOSE:
                if int.from_bytes(text[:2], "big") != GOING_AWAY:
                    raise Broken(f"a websocket was closed: {text}")
                writer.write(frame(CLOSE, text[:2]))
                self.sockets += 1
                return
            if (kind, text) != (TEXT, b"hello"):
                raise Broken(f"{kind} {text} for an echo")
            self.echoes += 1
            await asyncio.sleep(0.005)
