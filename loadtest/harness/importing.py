"""Posts in lines, as POST /import takes them."""

import csv
import http.client
import io
import json
import socket

WORDS = "Some **words** about the thing, with \"quotes\", an accent é and a line\nbreak. "


def posts(nobody=True):
    """A megabyte or so: each user has one, and one in a thousand is of nobody, if that is wanted."""
    return [{"user_id": 10**9 if nobody and i % 1000 == 999 else i * 8 % 10000 + 1, "title": f"Import {i}", "body": WORDS * 10}
            for i in range(1200)]


def lines(made):
    return ("\n".join(json.dumps(post, ensure_ascii=False) for post in made) + "\n").encode()


def comma_separated(made):
    """The same for the shells of the databases; there they need a time as well."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([*post.values(), 1700000000] for post in made)
    return out.getvalue().encode()


def send(port, block, times):
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        s.settimeout(600)
        s.sendall(f"POST /import HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-ndjson\r\n"
                  f"Content-Length: {len(block) * times}\r\n\r\n".encode())
        for _ in range(times):
            s.sendall(block)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        return answer.status, json.loads(answer.read())
