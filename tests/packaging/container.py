"""An image, started as an engine would start it: its entry point as the first process of namespaces of its own, its
root read-only. Needs root."""

import ctypes
import http.client
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

VOLUME = "/var/lib/tenk"
CLONE_NEWNET = 0x40000000

# In the namespaces, as the first process of the one of processes, until the entry point takes its place.
PREPARE = """
root=$1 volume=$2
shift 2
mount --bind "$root" "$root"
mkdir -p "$root/proc" "$root/dev"
mount --bind "$volume" "$root/var/lib/tenk"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o mode=755,size=64k tmpfs "$root/dev"
for device in null zero full random urandom; do
    : > "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,bind,ro "$root/dev"
mount -o remount,bind,ro "$root"
ip link set lo up
exec "$@"
"""


class Image:
    def __init__(self, root, file):
        self.root = root
        with open(file) as f:
            said = json.load(f)
        self.says = said["Docker"]["config"]
        self.user, self.group = self.says["User"].split(":")

    def environment(self, more):
        return {**dict(e.split("=", 1) for e in self.says["Env"]), **more}

    def inside(self, program, environment):
        """What begins a command of unshare or nsenter that becomes the image's user."""
        return ["env", "-i", *(f"{k}={v}" for k, v in environment.items()), program,
                f"--setgid={self.group}", f"--setuid={self.user}"]


class Container:
    """The image's entry point as the first process of its own namespaces; its root is read-only."""

    def __init__(self, image, volume, *arguments, **environment):
        self.image, self.environment = image, image.environment(environment)
        self.port = int(self.environment["PORT"])
        self.log = tempfile.TemporaryFile("w+")
        command = [*image.inside("unshare", self.environment), f"--root={image.root}",
                   f"--wd={image.says['WorkingDir']}", "--",
                   *image.says["Entrypoint"], *(image.says.get("Cmd") or []), *arguments]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            ["setpriv", "--no-new-privs", "--pdeathsig", "KILL",
             "unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork",
             "sh", "-euc", PREPARE, "sh", image.root, volume, *command],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.first = self.wait_for(lambda: children(self.process.pid))[0]

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def wait_for(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.said()}"
            assert time.monotonic() < deadline, f"waited in vain: {self.said()}"
            time.sleep(0.005)
        return found

    def enter_network(self):
        """Of this thread: sockets made in it from now on are the container's."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/proc/{self.first}/ns/net") as ns:
            if libc.setns(ns.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def ask(self, method, path, body=None, headers=None):
        """Status and body, or None if there was no answer."""
        found = []

        def talk():
            self.enter_network()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.request(method, path, body, headers or {})
                answer = connection.getresponse()
                found.append((answer.status, answer.read()))
            except OSError:
                found.append(None)
            finally:
                connection.close()

        thread = threading.Thread(target=talk)
        thread.start()
        thread.join()
        return found[0]

    def wait_until_up(self):
        """Seconds from its start to its first answer, a user's page."""
        status, _ = self.wait_for(lambda: self.ask("GET", "/users/42"))
        assert status == 200, status
        return time.monotonic() - self.began

    def run(self, *command):
        """Another program of the image, beside the first, as docker exec would; its code."""
        done = subprocess.run(
            [*self.image.inside("nsenter", self.environment), f"--target={self.first}", "--mount", "--pid", "--net", "--ipc", "--uts",
             "--root", f"--wdns={self.image.says['WorkingDir']}", "--", *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr

    def healthy(self):
        kind, *command = self.image.says["Healthcheck"]["Test"]
        assert kind == "CMD", kind
        return self.run(*command)

    def stop(self):
        """The image's own signal to the first process: its code, and how many seconds it took."""
        began = time.monotonic()
        os.kill(self.first, getattr(signal, self.image.says["StopSignal"]))
        return self.process.wait(30), time.monotonic() - began

    def end(self):
        if self.process.poll() is None:
            os.kill(self.first, signal.SIGKILL)      # with the first process, all of them end
            self.process.wait()
        self.log.close()


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
