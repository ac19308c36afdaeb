"""When a server is as good as it should be again, and stays so."""

from .openloop import SLICE, Times, counts

WINDOW = 3                                       # slices, which must be good together
SHARE, SLOWER = 0.85, 5                          # of what can be answered; times the usual p99
STAYS = 0.8                                      # of the windows from there on


def back(slices, begin, end, possible, usual):
    """Milliseconds from the beginning of a step to the first window from which on goodput and p99 are in bounds, most of
    the time; None if there is none. possible: good answers a second that can be expected; usual: the usual p99, in
    milliseconds."""
    here = [one for one in slices if begin <= one["at"] < end]
    windows = [here[first:first + WINDOW] for first in range(len(here) - WINDOW + 1)]
    good = [in_bounds(window, possible, usual) for window in windows]
    for n, window in enumerate(windows):
        if good[n] and sum(good[n:]) >= STAYS * len(good[n:]):
            return (window[0]["at"] - begin) / 1000
    return None


def in_bounds(window, possible, usual):
    p99 = Times(window).percentile(99)
    return counts(window)["good"] >= SHARE * possible * WINDOW * SLICE / 1e6 and (p99 is None or p99 <= SLOWER * usual)
