"""A copy of this tree in which a reader's commands run, beside a server of its own.

What is only an example in a document stands for something real here: port 8080 for that of the server, its pid for
"$(pidof tenk)", postgresql://me@host/mine for a private cluster, and /var/lib/tenk for a folder of the copy."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from documents import ROOT

sys.path.insert(0, os.path.join(ROOT, "loadtest"))
from harness import databases  # noqa: E402
from harness.processes import free_port  # noqa: E402

EXAMPLE_URL = "postgresql://me@host/mine"
ENDS_BY_ITSELF = r" (--init-db|-t|--test-config|--print-config|--healthcheck|-V|--version|-h|--help)\b|^build/tenk (ps|top|record|stalls)\b"
NOT_COPIED = (".git", "build", "node_modules", "*.db*", "__pycache__")
STARTS = r"(?:[A-Z_]+=\S+ )*(?:build/tenk|make run)\b"


def starts_a_server(command):
    return re.match(STARTS, command) and not re.search(ENDS_BY_ITSELF, command)


class Sandbox:
    """Made once for all documents; the server starts when it is first asked."""

    def __init__(self):
        self.cleaning = contextlib.ExitStack()
        self.folder = tempfile.mkdtemp(prefix="tenk-docs-")
        self.cleaning.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.tree = os.path.join(self.folder, "tenk")
        self.data = os.path.join(self.folder, "data")
        os.mkdir(self.data)
        shutil.copytree(ROOT, self.tree, symlinks=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
        os.symlink(os.path.join(ROOT, "build"), os.path.join(self.tree, "build"))
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("MAKE", "MFLAGS", "TENK_", "PG", "VARIANT", "CC"))}
        self.environment.update(LC_ALL="C.UTF-8", DEBUGINFOD_URLS="", TOTALS=self.data)
        self.server = self.cluster = None

    def close(self):
        self.cleaning.close()

    def url(self):
        if not self.cluster:
            folder = tempfile.mkdtemp(prefix="tenk-docs-")
            self.cleaning.callback(shutil.rmtree, folder, ignore_errors=True)
            url = self.cleaning.enter_context(databases.postgres([os.path.join(ROOT, "build/tenk")], 0, folder))
            home, port = re.search(r"host=([^&]*)&port=(\d+)", url).groups()
            self.cluster = f"postgresql://tenk@{home.replace('/', '%2F')}:{port}/postgres"
        return self.cluster

    def real(self, text, port):
        """text, with what is an example replaced by what is there."""
        if EXAMPLE_URL in text:
            text = text.replace(EXAMPLE_URL, self.url())
        if "pidof tenk" in text:
            text = re.sub(r'"?\$\(pidof tenk\)"?', str(self.running().process.pid), text)
        return re.sub(r"\b(8080|9000)\b", str(port), text.replace("/var/lib/tenk", self.data))

    def running(self):
        if not self.server:
            self.server = Server(self, "build/tenk --listen 127.0.0.1:8080")
            self.cleaning.callback(self.server.stop)
            shutil.copy2(os.path.join(self.tree, "tenk.db"), self.data)      # to make it anew takes longer
        return self.server

    def run(self, script, seconds=180):
        """(status, output) of a reader's shell."""
        with tempfile.TemporaryFile("w+") as out:        # a file: what runs on in the background keeps no pipe open
            process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", self.real(script, self.running().port)],
                                       cwd=self.tree, env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            self.cleaning.callback(end_group, process.pid)
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                end_group(process.pid)
                status = f"not ended after {seconds} s"
            out.seek(0)
            return status, out.read().replace(str(self.running().port), "8080")


class Server:
    """What a command of a document starts, at a port that is free."""

    def __init__(self, sandbox, command):
        self.port = free_port()
        self.command = sandbox.real(command, self.port)
        self.log = os.path.join(sandbox.folder, f"log-{self.port}")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(["bash", "-c", "exec " + self.environed()], cwd=sandbox.tree,
                                            env=dict(sandbox.environment, PORT=str(self.port)),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 120        # the first one makes its database: two seconds of a processor, if that has time
        while "stop with Ctrl-C" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                end_group(self.process.pid)
                raise AssertionError(f"{command}: it does not serve:\n{self.said()}")
            time.sleep(0.05)

    def environed(self):
        return re.sub(r"^([A-Z_]+=)", r"env \1", self.command)

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def stop(self):
        """Its exit status. `make run` passes no signal on, so that all of the group get it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        return self.process.wait(60)


def end_group(pid):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
