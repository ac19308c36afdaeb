"""Clients of one room of the chat, each of which says so many things and hears what all say; one whose connection breaks comes
again with the id of the last message that it had, and says again, with its key, what it does not know to be kept."""

import asyncio
import json
import os
import random
import struct
import threading
import time

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Chatter:
    def __init__(self, port, room, name, sayings, total):
        self.port, self.room, self.name, self.total = port, room, name, total
        self.to_say = [f"{name}-{i}" for i in range(sayings)]        # in this order; the first is under way
        self.heard, self.last, self.connections = [], 0, 0
        self.writer = None

    def done(self):
        return not self.to_say and len(self.heard) >= self.total

    async def run(self):
        while not self.done():
            try:
                await self.connected()
            except (OSError, asyncio.IncompleteReadError, EOFError):
                await asyncio.sleep(random.uniform(0.1, 0.4))
            finally:
                if self.writer:
                    self.writer.close()

    async def connected(self):
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        self.writer.write((f"GET /ws/chat/{self.room}?name={self.name}&after={self.last} HTTP/1.1\r\nHost: t\r\n"
                           "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise EOFError
        self.connections += 1
        self.say()
        while not self.done():
            kind, bytes_ = await self.frame(reader)
            if kind == CLOSE:
                raise EOFError
            if kind == PING:
                self.send(PONG, bytes_)
            if kind == TEXT:
                self.hear(json.loads(bytes_))

    def hear(self, event):
        data = event.get("data", {})
        if event["event"] == "message":
            self.heard.append((event["id"], data["text"]))
            self.last = event["id"]
        elif event["event"] == "stored" and self.to_say and data["key"] == self.to_say[0]:
            self.to_say.pop(0)
            self.say()
        elif event["event"] == "refused":
            asyncio.get_running_loop().call_later(data["again"] / 1000, self.say)

    def say(self):
        if self.to_say:
            self.send(TEXT, json.dumps({"key": self.to_say[0], "text": self.to_say[0]}).encode())

    def send(self, kind, bytes_):
        mask = os.urandom(4)
        assert len(bytes_) < 126
        self.writer.write(struct.pack("BB", 0x80 | kind, 0x80 | len(bytes_)) + mask +
                          bytes(b ^ mask[i % 4] for i, b in enumerate(bytes_)))

    @staticmethod
    async def frame(reader):
        first, length = await reader.readexactly(2)
        if length == 126:
            length, = struct.unpack(">H", await reader.readexactly(2))
        return first & 0x0f, await reader.readexactly(length)


class Chatting:
    """All of them, in a thread of their own, from begin() to end()."""

    def __init__(self, port, room, clients, sayings):
        self.all = [Chatter(port, room, f"c{i}", sayings, clients * sayings) for i in range(clients)]
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True)

    async def run(self):
        await asyncio.gather(*(chatter.run() for chatter in self.all))

    def begin(self, messages, seconds=60):
        """Returns when each has heard so many."""
        self.thread.start()
        deadline = time.monotonic() + seconds
        while any(len(chatter.heard) < messages for chatter in self.all):
            assert time.monotonic() < deadline, "they do not hear each other"
            time.sleep(0.01)

    def end(self, seconds=60):
        """Returns when each has heard all."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), f"they have heard {[len(chatter.heard) for chatter in self.all]} messages"
