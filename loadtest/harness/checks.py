"""Before anything is measured: what must be there, and what a signal does."""

import os
import shutil
import signal
import subprocess
import sys

from .processes import Failure


def programs(*names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        raise Failure(f"not installed: {', '.join(missing)}")


def build(options, folder):
    """The programs that the load needs; the server must be there."""
    if not os.access(options.tenk, os.X_OK):
        raise Failure(f"{options.tenk} is not there: run make first")
    if options.server_cpu == options.client_cpu:
        print("# there is only one CPU: the load runs beside the server, and the figures mean little", file=sys.stderr)
    subprocess.run(["make", "-s", "-C", folder, f"BUILD={options.build}"], check=True, stdout=sys.stderr, timeout=300)


def on_signal(number, _frame):
    for also in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(also, signal.SIG_IGN)      # a second one must not disturb the cleaning up
    sys.exit(128 + number)


def end_on_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
