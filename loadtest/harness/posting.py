"""A user with as many posts as a page shows."""

import json

MOST = 20                                        # as many as the query takes
PAGE = "/users/2"
POST = {"title": "One of many", "body": "Some **words**, as many as usual. " * 12}


def fill(bench, url):
    """In a database; nothing is done to a page that is full."""
    with bench.serving("tenk-posting", None, lambda port: [
            bench.options.tenk, "-l", f"127.0.0.1:{port}", "-D", url], bench.folder) as server:
        for _ in range(MOST - len(json.loads(server.get(PAGE, "application/json"))["posts"])):
            server.post(f"{PAGE}/posts", POST)
