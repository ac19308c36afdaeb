"""A server's memory, and how long others wait for it, while something large is under way."""

import http.client
import threading
import time


class Watch(threading.Thread):
    """The server's memory every so many seconds, and how long another request takes, twenty times a second."""

    def __init__(self, server, every=1.0):
        super().__init__(daemon=True)
        self.server, self.every, self.over = server, every, threading.Event()
        self.memory, self.waits, self.began = [], [], time.monotonic()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        while not self.over.wait(0.05):
            before = time.monotonic()
            if before - self.began >= len(self.memory) * self.every:
                self.memory.append(self.server.resident())
            connection.request("GET", "/users/42", headers={"Accept": "application/json"})
            connection.getresponse().read()
            self.waits.append(time.monotonic() - before)
        connection.close()

    def waited(self):
        waits = sorted(self.waits)
        return (f"p50 {waits[len(waits) // 2] * 1000:.1f} ms, p99 {waits[len(waits) * 99 // 100] * 1000:.1f} ms, "
                f"worst {waits[-1] * 1000:.0f} ms")
