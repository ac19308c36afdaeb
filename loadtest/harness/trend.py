"""Whether a figure stays what it is."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Watched:
    name: str
    unit: str
    tolerance: float                             # of the unit, a minute


WATCHED = (Watched("resident", "MB", 0.1), Watched("descriptors", "", 0.1), Watched("threads", "", 0.1))


def slope(points):
    """Of (minutes, value): the median of the slopes of all pairs (Theil and Sen's), which a few odd ones do not move.
    None if there are not enough."""
    found = [(y2 - y1) / (x2 - x1) for n, (x1, y1) in enumerate(points) for x2, y2 in points[n + 1:] if x2 > x1]
    return statistics.median(found) if len(points) >= 3 and found else None


def verdict(watched, samples, warm):
    """samples: dictionaries with the minute, the name, and whether the server was at rest; warm: the minutes that do not
    count. What grows by more than the tolerance is not flat; what falls was only too much before."""
    points = [(one["minute"], one[watched.name]) for one in samples if one["rest"] and one["minute"] >= warm]
    found = slope(points)
    return {"name": watched.name, "unit": watched.unit, "first": points[0][1] if points else None,
            "last": points[-1][1] if points else None, "a_minute": found, "tolerance": watched.tolerance,
            "samples": len(points), "flat": None if found is None else found <= watched.tolerance}
