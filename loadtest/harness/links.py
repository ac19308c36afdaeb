"""Slow links to the database: by the kernel's netem where that can be had, else by our relay."""

import contextlib
import os
import socket
import subprocess
import time

from .processes import Failure, free_port, pinned, serving, stop

HERE, THERE = "10.231.77.1", "10.231.77.2"       # the two ends, in a namespace of their own


def netem_is_there():
    """Whether this kernel has it, and lets us: tried in a namespace that ends with the command."""
    if os.getuid() != 0:
        return False
    try:
        return subprocess.run(["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"],
                              capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextlib.contextmanager
def relay(program, cpu, folder, to, *rest, name="relay"):
    """Yields the port that leads to another one, or to a socket, by way of the relay."""
    port = free_port()
    with serving(name, cpu, lambda _: [program, port, to, *rest], folder, port=port):
        yield port


@contextlib.contextmanager
def slow(kind, program, cpu, folder, to, ms):
    """Yields the host and port that lead to a socket, and a round trip takes so much longer."""
    if kind == "relay":
        with relay(program, cpu, folder, to, ms, name="link") as port:
            yield "127.0.0.1", port
    else:
        with namespace(ms, netem) as name, beyond(name, program, cpu, to) as port:
            yield THERE, port


def do(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise Failure(f"{' '.join(command)}: {done.stderr.strip()}")


def netem(ms):
    return ["netem", "delay", f"{ms / 2}ms", "limit", "100000"]


@contextlib.contextmanager
def namespace(ms, discipline):
    """A network namespace, and a cable to it, of which each end delays what it sends by half."""
    name = f"tenk-{os.getpid()}"
    do("ip", "netns", "add", name)
    inside = ["ip", "netns", "exec", name]
    try:
        do("ip", "link", "add", f"{name}-a", "type", "veth", "peer", "name", f"{name}-b", "netns", name)
        do("ip", "address", "add", f"{HERE}/30", "dev", f"{name}-a")
        do(*inside, "ip", "address", "add", f"{THERE}/30", "dev", f"{name}-b")
        do("ip", "link", "set", f"{name}-a", "up")
        do(*inside, "ip", "link", "set", f"{name}-b", "up")
        do("tc", "qdisc", "add", "dev", f"{name}-a", "root", *discipline(ms))
        do(*inside, "tc", "qdisc", "add", "dev", f"{name}-b", "root", *discipline(ms))
        yield name
    finally:
        do("ip", "netns", "delete", name)        # and the cable with it


@contextlib.contextmanager
def beyond(name, program, cpu, to):
    """The relay in the namespace, which only leads on to the socket there."""
    port = free_port()
    process = subprocess.Popen(pinned(cpu, ["ip", "netns", "exec", name, program, f"{THERE}:{port}", to]),
                               stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection((THERE, port), 0.5).close()
                break
            time.sleep(0.05)
        else:
            raise Failure("the relay behind the slow link did not start")
        yield port
    finally:
        stop(process)
