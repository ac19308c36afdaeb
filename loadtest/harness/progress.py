"""How far it is, and how long it still takes: a bar on a terminal, a line now and then elsewhere."""

import sys
import time

WIDTH, OFTEN = 30, 20                            # characters; seconds between two lines


class Progress:
    def __init__(self, seconds, often=OFTEN):
        """seconds: what all steps together are expected to take; often: those between two lines, at least."""
        self.often = often
        self.whole, self.done, self.began, self.said = max(1, seconds), 0, time.monotonic(), 0
        self.terminal = sys.stderr.isatty()

    def show(self, what):
        taken = time.monotonic() - self.began
        share = min(1, self.done / self.whole)
        left = self.whole - self.done if share < 0.02 else taken / share - taken
        line = f"{100 * share:3.0f} %  {time.strftime('%M:%S', time.gmtime(max(0, left)))} left  {what}"
        if self.terminal:
            bar = "#" * round(WIDTH * share)
            print(f"\r\033[K[{bar:.<{WIDTH}}] {line}"[:120], end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.said >= self.often or not self.said:
            self.said = time.monotonic()
            print(f"# {line}", file=sys.stderr, flush=True)

    def more(self, seconds):
        """It will take so much longer than expected."""
        self.whole += seconds

    def step(self, seconds):
        self.done += seconds

    def end(self):
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
