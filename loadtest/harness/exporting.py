"""GET /export.ndjson, read piece by piece; and whether anybody holds something of the database."""

import http.client
import json
import socket
import sqlite3
import subprocess
import time

from . import databases
from .processes import Failure

ROOM = 64 * 1024                                 # of a reader's socket: who stops is soon noticed
FILL = """
insert into posts (user_id, title, body, created_at)
with recursive n(i) as (select 1 union all select i + 1 from n where i < {missing})
select i % 10000 + 1, 'Export ' || i, 'Some **words**, as many as usual, with "quotes" and an accent é. '
    || 'The number of this one is ' || i || ', and it has been stored only to be read again. ', 1700000000 + i from n
"""


def fill(url, posts):
    """A new database, until it has so many."""
    filled = FILL.format(missing=posts - int(ask(url, "select count(*) from posts")))
    ask(url, filled)
    if int(ask(url, "select count(*) from posts")) != posts:
        raise Failure(f"there are not {posts} posts")


def ask(url, sql):
    """The first value of the first row, if there is one."""
    if url.startswith("sqlite:"):
        connection = sqlite3.connect(url.removeprefix("sqlite:"), timeout=60)
        try:
            with connection:
                row = connection.execute(sql).fetchone()
        finally:
            connection.close()
        return row and row[0]
    done = subprocess.run([f"{databases.postgres_programs()}/psql", url, "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", sql],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise Failure(f"psql: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


HELD = {
    # It cannot empty the log while somebody reads in an older state.
    "sqlite": "pragma wal_checkpoint(truncate)",
    "postgresql": "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
                  " and (state <> 'idle' or backend_xmin is not null)",
}


def nothing_is_held(url):
    """At a moment between the queries of those who are answered meanwhile."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if int(ask(url, HELD[url.partition(":")[0]])) == 0:
            return True
        time.sleep(0.05)
    return False


class Reader:
    """Of an export, which has begun."""

    def __init__(self, port):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(b"GET /export.ndjson HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        self.answer = http.client.HTTPResponse(self.socket)
        self.answer.begin()
        if self.answer.status != 200:
            raise Failure(f"GET /export.ndjson is answered with {self.answer.status}")
        self.count, self.last, self.size, self.rest = 0, 0, 0, b""

    def read(self, most):
        """Until it has so many posts, or all, whose ids have to grow. True if it may have more."""
        while self.count < most:
            piece = self.answer.read1(1 << 20)
            self.size += len(piece)
            *lines, self.rest = (self.rest + piece).split(b"\n")
            for line in lines:
                found = json.loads(line)["id"]
                if found <= self.last:
                    raise Failure(f"the post {found} comes behind {self.last}")
                self.last = found
            self.count += len(lines)
            if not piece:
                if self.rest:
                    raise Failure(f"the answer ends in the middle of a line: {self.rest[:100]!r}")
                return False
        return True

    def close(self):
        self.answer.close()
        self.socket.close()
