"""How long a measure of bench takes, and how long it may."""

import contextlib
import signal

from .processes import Failure

# Seconds of each: those that it takes at any rate, and those of each round of a second.
USUAL = {"plain": (13, 15), "sqlite": (4, 6), "posts": (4, 3), "postgres": (12, 6), "boards": (20, 24), "post": (5, 4),
         "import": (6, 6), "rate": (16, 11), "idle": (15, 0), "sleep": (50, 0), "sleepers": (19, 8), "echo": (6, 5),
         "fanout": (12, 15), "quiet": (25, 0), "streams": (10, 0), "healthz": (13, 0), "slow": (10, 0), "burst": (270, 20)}
LEAST = 120                                      # seconds that any may take, and
TIMES = 4                                        # as long as it is expected to: a machine may be busy


def expected(name, options):
    fixed, each = USUAL[name]
    servers = 1.5 if options.base else 1         # three instead of two
    return servers * (fixed + each * options.rounds * max(1, options.seconds))


def longest(name, options):
    return int(LEAST + TIMES * expected(name, options))


@contextlib.contextmanager
def within(seconds, name):
    """The block ends by then, or with a Failure. What it has started, it stops on its way out."""
    def on_alarm(_number, _frame):
        raise Failure(f"{name} took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
