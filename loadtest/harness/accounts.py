"""What a tree of processes uses, as the kernel counts it."""

import contextlib
import os
import time

STACK = 16 * 1024                                # of a thread, in the kernel: x86-64, aarch64
WATCHED = 500                                    # threads whose switches are read, if there are more


def tree(root):
    """The process and all its descendants."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                children.setdefault(int(stat(name)[1]), []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def stat(pid):
    """The fields of /proc/PID/stat from the state on; the name before it may hold anything."""
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()


def cpu(pids):
    """Nanoseconds run. Of the process's own clock: it counts the threads that have ended as well, and
    the clock ticks of /proc/PID/stat are too coarse for runs of a second or two."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += time.clock_gettime_ns((~pid << 3) | 2)
    return total


def used(root):
    """Nanoseconds that the process, its descendants, and those of them that have ended meanwhile have run: worker processes
    come and go. Of those that have ended it is known in clock ticks."""
    found, ended = tree(root), 0
    for pid in found:
        with contextlib.suppress(OSError):
            ended += sum(map(int, stat(pid)[13:15]))
    return cpu(found) + ended * 10**9 // os.sysconf("SC_CLK_TCK")


def busy(cpus):
    """Nanoseconds in which these processors did not rest, or were taken away from this machine."""
    total = 0
    with open("/proc/stat") as f:
        for line in f:
            name, *fields = line.split()
            if name in [f"cpu{cpu}" for cpu in cpus]:
                user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
                total += user + nice + system + irq + softirq + steal
    return total * 10**9 // os.sysconf("SC_CLK_TCK")


def cpu_ticks(pids):
    """Clock ticks in user and in kernel mode, with those of children that have ended: for how the nanoseconds are divided."""
    user = system = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = list(map(int, stat(pid)[11:15]))
            user, system = user + fields[0] + fields[2], system + fields[1] + fields[3]
    return user, system


def numbers(path, names):
    """The numbers behind those names, in a file with a line for each."""
    found = {}
    with open(path) as f:
        for line in f:
            name, _, rest = line.partition(":")
            if name in names:
                found[name] = int(rest.split()[0])
    return found


def memory(pids):
    """Bytes, by kind. Resident is not from /proc/PID/status, whose counters lag behind; the stacks in
    the kernel are in no file of a process, and are counted by the thread."""
    total = dict.fromkeys(("virtual", "resident", "proportional", "page_tables", "kernel_stacks"), 0)
    for pid in pids:
        with contextlib.suppress(OSError):
            status = numbers(f"/proc/{pid}/status", ("VmSize", "VmPTE", "Threads"))
            rollup = numbers(f"/proc/{pid}/smaps_rollup", ("Rss", "Pss"))
            total["virtual"] += status["VmSize"] * 1024
            total["resident"] += rollup["Rss"] * 1024
            total["proportional"] += rollup["Pss"] * 1024
            total["page_tables"] += status["VmPTE"] * 1024
            total["kernel_stacks"] += status["Threads"] * STACK
    return total


def threads(pids):
    count = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            count += numbers(f"/proc/{pid}/status", ("Threads",))["Threads"]
    return count


def switches(pids):
    """Voluntary and involuntary context switches of the threads that live. Of thousands of threads only
    some are read, evenly chosen, and stand for the others: to read all would disturb what is measured."""
    voluntary = involuntary = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            ids = sorted(map(int, os.listdir(f"/proc/{pid}/task")))
            # The first ones have a task of their own; of those that serve a connection each is like another.
            for sample in (ids[:32], ids[32:]):
                chosen = sample[::max(1, len(sample) // WATCHED)]
                weight = len(sample) / len(chosen) if chosen else 0
                for thread in chosen:
                    with contextlib.suppress(OSError):
                        found = numbers(f"/proc/{pid}/task/{thread}/status",
                                        ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"))
                        voluntary += found["voluntary_ctxt_switches"] * weight
                        involuntary += found["nonvoluntary_ctxt_switches"] * weight
    return voluntary, involuntary
