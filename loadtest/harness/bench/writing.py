"""What is written: posts one by one, and many at once, beside the databases' own ways."""

import contextlib
import json
import os
import shutil
import subprocess
import time

from .. import databases, importing
from .comparing import compare
from ..processes import Failure, pinned

IMPORTED = 10                                    # times a megabyte, in one import


@contextlib.contextmanager
def servers(bench, url_of):
    """{name: server}, each with a database of its own, as url_of(name) says: what one writes, the other need not search."""
    with contextlib.ExitStack() as stack:
        found = {"tenk": stack.enter_context(bench.tenk(url_of("tenk"), []))}
        if bench.base:
            found["base"] = stack.enter_context(bench.old(url_of("base")))
        yield found


def copies(bench):
    """Of the SQLite file, made when they are first asked for by a name."""
    original = bench.urls.sqlite().removeprefix("sqlite:")

    def url_of(name):
        path = f"{bench.folder}/{name}-written.db"
        shutil.copyfile(original, path)          # no server has it open
        with open(path, "rb") as copy:
            os.fsync(copy.fileno())              # else the first commit would wait for all of it
        return f"sqlite:{path}"

    return url_of


def posts(bench):
    """POST /users/ID/posts, beside SQLite in a loop, with as many posts in a transaction as there are connections."""
    if bench.options.self:
        return []                                # the floor is no server
    url_of, rows = copies(bench), []
    raw = url_of("floor").removeprefix("sqlite:")
    with servers(bench, url_of) as found:
        for connections in bench.options.connections:

            def one(server, seconds, connections=connections):
                result = bench.load.wrk(server, "/users/1/posts", ["posts", "10000"], connections, seconds)
                return result["requests"] / result["microseconds"] * 1e6

            measures = {name: lambda seconds, server=server: one(server, seconds) for name, server in found.items()}
            measures["floor"] = lambda seconds, group=connections: in_groups(bench, raw, group, seconds)
            name = f"POST /users/ID/posts, SQLite, {connections} connections; beside: groups of {connections}"
            rows.append(compare(bench, name, "/s", measures, 0.97, least=True))
    return rows


def in_groups(bench, path, group, seconds):
    said = run(pinned(bench.options.server_cpu, [f"{bench.options.build}/posts_sqlite", path, group, seconds]))
    result = json.loads(said)
    return result["posts"] / result["microseconds"] * 1e6


def imports(bench):
    """POST /import, beside the sqlite3 shell and psql's \\copy of the same posts."""
    if bench.options.self:
        return []
    made = importing.posts(nobody=False)
    file = f"{bench.folder}/posts.csv"
    with open(file, "wb") as f:
        f.write(importing.comma_separated(made) * IMPORTED)
    os.chmod(file, 0o644)
    url_of = copies(bench)
    shell = url_of("shell").removeprefix("sqlite:")
    written = databases.copy_of(bench.urls.postgres(), "written")
    rows = []
    for name, beside, url_of, command in (
            ("SQLite", "sqlite3", url_of, by_sqlite3(shell, file)),
            ("PostgreSQL", "\\copy", lambda _: written, by_psql(written, file))):
        with servers(bench, url_of) as found:
            measures = {each: lambda _, server=server: imported(server, made) for each, server in found.items()}
            measures["floor"] = lambda _, command=command: by_itself(bench, command, len(made) * IMPORTED)
            rows.append(compare(bench, f"POST /import, {name}, lines; beside: {beside}", "/s", measures, 0.50, least=True))
    return rows


def imported(server, made):
    since = time.monotonic()
    status, report = importing.send(server.port, importing.lines(made), IMPORTED)
    if status != 200 or report["stored"] != len(made) * IMPORTED:
        server.fail(f"POST /import is answered with {status}, {json.dumps(report)[:500]}")
    return report["stored"] / (time.monotonic() - since)


def by_itself(bench, command, lines):
    since = time.monotonic()
    run(pinned(bench.options.server_cpu, command))
    return lines / (time.monotonic() - since)


def by_sqlite3(path, file):
    """By way of a temporary table, for .import knows no columns; all in one transaction, as safe as tenk's."""
    return ["sqlite3", "-bail", path, "pragma synchronous = full; pragma foreign_keys = on;",
            "create temp table taken (user_id integer, title text, body text, created_at integer); begin immediate;",
            f".import --csv --schema temp {file} taken",
            "insert into posts (user_id, title, body, created_at) select * from temp.taken; commit;"]


def by_psql(url, file):
    return [f"{databases.postgres_programs()}/psql", url, "-qX", "-v", "ON_ERROR_STOP=1", "-c",
            f"\\copy posts (user_id, title, body, created_at) from '{file}' csv"]


def run(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if done.returncode or done.stderr.strip():
        raise Failure(f"{' '.join(command[:8])}: {done.stderr.strip()[-500:]}")
    return done.stdout
