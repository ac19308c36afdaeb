"""Readings of GET /stats while nobody waits for them: a server under load may answer late."""

import json
import threading

from .processes import Failure


class Turns:
    """Of a server that has a loop."""

    def __init__(self, server):
        self.server, self.readings, self.threads = server, {}, []

    def read(self, which):
        thread = threading.Thread(target=self.fetch, args=(which,), daemon=True)
        thread.start()
        self.threads.append(thread)

    def fetch(self, which):
        try:
            self.readings[which] = json.loads(self.server.get("/stats"))
        except Failure:
            self.readings[which] = None

    def all(self):
        for thread in self.threads:
            thread.join(15)
        return self.readings
