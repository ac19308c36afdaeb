"""Other servers, as peers/peers.conf lists them."""

import contextlib
import dataclasses
import os
import subprocess
import tempfile
import urllib.parse

from .load import HERE
from .processes import Failure

FOLDER = f"{HERE}/peers"
FILE = f"{FOLDER}/peers.conf"
ROUTES = ("/plaintext", "/json", "/users", "/ws/echo", "/ws/chat")
TAKEN = ("tenk", "floor", "improved", "base")    # names of others in a comparison


@dataclasses.dataclass
class Peer:
    name: str
    needs: str
    build: str
    start: str
    routes: list
    folder: str = FOLDER                         # where its commands run

    def prepare(self, build):
        """Why it cannot be measured; None if it can: then it is built."""
        environment = os.environ | {"BUILD": build}
        for what, command, seconds in (("needs", self.needs, 20), ("build", self.build, 300)):
            if command == "-":
                continue
            try:
                done = subprocess.run(["sh", "-c", command], cwd=self.folder, env=environment, text=True, timeout=seconds,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            except subprocess.TimeoutExpired:
                return f"{what} took longer than {seconds} seconds: {command}"
            if done.returncode:
                said = done.stderr.strip().splitlines()
                return f"{what} failed: {command}" + (f": {said[-1]}" if said else "")
        return None

    @contextlib.contextmanager
    def serving(self, bench, url):
        with tempfile.TemporaryDirectory(prefix=f"{self.name}-", dir=bench.folder) as own:
            environment = os.environ | database(url) | {"BUILD": bench.options.build, "HOME_OF": own}
            with bench.serving(self.name, bench.options.server_cpu, lambda port: [
                    "env", f"PORT={port}", "sh", "-c", f"exec {self.start}"], bench.folder, cwd=self.folder,
                    env=environment) as server:
                yield server


def database(url):
    """A URL of PostgreSQL, as variables; none of a file."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "postgresql":
        return {}
    given = dict(urllib.parse.parse_qsl(parts.query))
    return {"DATABASE": url, "PGHOST": given.get("host") or parts.hostname or "",
            "PGPORT": str(given.get("port") or parts.port or 5432), "PGUSER": given.get("user") or parts.username or "",
            "PGDATABASE": parts.path.removeprefix("/")}


def read(path):
    """All that a file lists, in its order."""
    found = []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            if line.strip() and not line.startswith("#"):
                found.append(parsed(line, f"{path}:{number}", [peer.name for peer in found]))
    for peer in found:
        peer.folder = os.path.dirname(os.path.abspath(path))
    return found


def parsed(line, where, names):
    fields = [field.strip() for field in line.split(" | ")]
    if len(fields) != 5 or not all(fields):
        raise Failure(f"{where}: a peer has five fields, name | needs | build | start | routes, and this line has {len(fields)}")
    name, needs, build, start, routes = fields
    if name in TAKEN or name in names or "/" in name:
        raise Failure(f"{where}: {name} cannot be the name of a peer, or is that of another")
    unknown = [route for route in routes.split() if route not in ROUTES]
    if unknown:
        raise Failure(f"{where}: {', '.join(unknown)} is no route to be compared; those are {', '.join(ROUTES)}")
    return Peer(name, needs, build, start, routes.split())


def chosen(path, asked, build):
    """Those to measure, and {name: why} of those that are not. asked: auto, none, or names, all of which must be there then."""
    if asked == "none":
        return [], {}
    listed = read(path)
    names = [peer.name for peer in listed] if asked == "auto" else asked.split(",")
    unknown = [name for name in names if name not in [peer.name for peer in listed]]
    if unknown:
        raise Failure(f"{path} has no {', '.join(unknown)}")
    found, missing = [], {}
    for peer in listed:
        if peer.name in names:
            why = peer.prepare(build)
            if not why:
                found.append(peer)
            elif asked != "auto":
                raise Failure(f"{peer.name}: {why}")
            else:
                missing[peer.name] = why
    return found, missing
