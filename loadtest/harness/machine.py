"""What it ran on."""

import os
import platform
import re
import resource
import subprocess


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def found(pattern, text, otherwise="unknown"):
    match = re.search(pattern, text, re.MULTILINE)
    return match.group(1).strip() if match else otherwise


def facts(server_cpu, client_cpu):
    return {
        "cpu": found(r"^model name\s*:\s*(.+)$", read("/proc/cpuinfo"), platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "kernel": platform.release(),
        "os": found(r'^PRETTY_NAME="?([^"\n]+)', read("/etc/os-release")),
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "server_cpu": server_cpu, "client_cpu": client_cpu,
    }


def said(command):
    """The first line of what a program says of its version, on whichever stream; some end with an error."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


def versions(models, postgres):
    return {
        **{("tenk" if model.id in ("async", "threads") else model.id): model.version() for model in models},
        "wrk": found(r"wrk (?:debian/)?(\S+)", said(["wrk", "--version"])),
        "h2load": found(r"nghttp2/(\S+)", said(["h2load", "--version"])),
        "postgresql": found(r"([\d.]+)", said([f"{postgres}/postgres", "--version"])),
    }
