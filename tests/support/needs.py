#!/usr/bin/env python3
"""needs.py NEED - does this machine give what a test skipped for want of it? Exits 0 if it does.

It asks the kernel itself, by other means than the tests: so a test that skips by mistake is found."""
import ctypes
import os
import signal
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER = 0x20000, 0x10000000
REC, PRIVATE = 0x4000, 0x40000
ATTACH = 16


def done(ask):
    """Whether ask() is true in a process of its own."""
    child = os.fork()
    if child == 0:
        os._exit(0 if ask() else 1)
    return os.waitpid(child, 0)[1] == 0


def mount():
    if libc.unshare(NEWNS) and libc.unshare(NEWUSER | NEWNS):
        return False
    return libc.mount(b"none", b"/", b"none", REC | PRIVATE, None) == 0 and \
        libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, b"size=1m") == 0


def attach():
    """To one that is no child of its own, as a debugger does."""
    other = os.fork()
    if other == 0:
        signal.pause()
    good = done(lambda: libc.ptrace(ATTACH, other, 0, 0) == 0)
    os.kill(other, signal.SIGKILL)
    os.waitpid(other, 0)
    return good


class Part(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def peek():
    there, here = ctypes.c_int(1), ctypes.c_int(0)
    parts = [Part(ctypes.addressof(one), ctypes.sizeof(one)) for one in (here, there)]
    moved = libc.process_vm_readv(os.getpid(), ctypes.byref(parts[0]), 1, ctypes.byref(parts[1]), 1, 0)
    return moved == ctypes.sizeof(here) and here.value == 1 and os.access("/proc/thread-self/syscall", os.R_OK)


def ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
            return True
    except OSError:
        return False


def cgroup_limits(parent, names):
    folder = f"{parent}/tenk-needs-{os.getpid()}"
    try:
        os.mkdir(folder)
    except OSError:
        return False
    try:
        return all(os.access(f"{folder}/{name}", os.W_OK) for name in ("cgroup.procs", *names))
    finally:
        os.rmdir(folder)


def cgroup():                               # version 2, or 1
    top = "/sys/fs/cgroup"
    return (cgroup_limits(top, ("pids.max", "memory.max"))
            or cgroup_limits(f"{top}/pids", ("pids.max",)) and cgroup_limits(f"{top}/memory", ("memory.limit_in_bytes",)))


GIVEN = {"mounts": lambda: done(mount), "ptrace": attach, "peek": peek, "ipv6": ipv6, "cgroup": cgroup}
sys.exit(0 if GIVEN[sys.argv[1]]() else 1)
