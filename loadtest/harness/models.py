"""The ways to serve that are compared: tenk's two modes, and the stacks people come from."""

import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"                      # Debian's, which finds Debian's packages

POOL = 32                                        # connections to PostgreSQL, of each of them

# Nobody is refused for having to wait: what is compared is how long it takes. (Overload has the defaults.)
PATIENT = {"TENK_DATABASE_CONNECTIONS": POOL, "TENK_DATABASE_LINE": 50000, "TENK_DATABASE_TARGET": 0,
           "TENK_DATABASE_LINE_TIMEOUT": "10m", "TENK_DATABASE_TIMEOUT": "10m", "TENK_THREADS_WAITING": 50000,
           "TENK_THREADS_TARGET": 0, "TENK_PROCESSES_LINE": 50000, "TENK_PROCESSES_TARGET": 0, "TENK_PROCESSES_TIMEOUT": "10m"}


class Tenk:
    def __init__(self, id, program):
        self.id, self.program = id, program
        self.name = f"tenk, {id}"
        self.tells_lag = id == "async"

    def missing(self):
        return None if os.access(self.program, os.X_OK) else f"{self.program} is not there: run make first"

    def command(self, url, patient=True):
        settings = {"TENK_LOG_LEVEL": "error", **(PATIENT if patient else {})}
        environment = [f"{name}={value}" for name, value in settings.items()]
        return lambda port: ["env", *environment, self.program, "--mode", self.id, "--workers", "1",
                             "--listen", f"127.0.0.1:{port}", "--database", url]

    def version(self):
        return first_line([self.program, "--version"]).removeprefix("tenk ")


class Node:
    id, name, tells_lag = "node", "Node, http and pg", False

    def missing(self):
        if not shutil.which("node"):
            return "node is not installed"
        if not os.path.isdir(f"{HERE}/peers/node/node_modules/pg"):
            return "pg is not installed: npm ci in loadtest/peers/node"
        return None

    def command(self, url, patient=True):
        return lambda port: ["node", f"{HERE}/peers/node/server.js", port, url, POOL]

    def version(self):
        driver = f"{HERE}/peers/node/node_modules/pg/package"
        return first_line(["node", "-p", f"process.version + ' pg ' + require('{driver}').version"])


class Python:
    id, name, tells_lag = "python", "Python, aiohttp and asyncpg", False

    def missing(self):
        asked = subprocess.run([PYTHON, "-c", "import aiohttp, asyncpg, uvloop"], capture_output=True)
        return None if asked.returncode == 0 else "aiohttp, asyncpg or uvloop is not installed"

    def command(self, url, patient=True):
        return lambda port: [PYTHON, f"{HERE}/peers/python/server.py", port, url, POOL]

    def version(self):
        return first_line([PYTHON, "-c", "import sys, aiohttp, asyncpg, uvloop; print(sys.version.split()[0], 'aiohttp',"
                           " aiohttp.__version__, 'asyncpg', asyncpg.__version__, 'uvloop', uvloop.__version__)"])


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


def chosen(tenk, ids, peers):
    """The models to measure, and why any of the others is not."""
    found, skipped = [Tenk(id, tenk) for id in ids], []
    for peer in (Node(), Python()):
        if peers == "none" or (peers != "auto" and peer.id not in peers.split(",")):
            continue
        why = peer.missing()
        if not why:
            found.append(peer)
        elif peers == "auto":
            skipped.append((peer.id, why))
        else:
            raise RuntimeError(f"{peer.name}: {why}")
    return found, skipped
