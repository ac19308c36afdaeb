"""The table."""

import dataclasses
import typing


@dataclasses.dataclass
class Row:
    name: str
    unit: str
    tenk: float
    beside: float                            # the floor's figure, or what else the name says
    ratio: typing.Optional[float]
    target: typing.Optional[float] = None    # of the ratio, or of tenk's figure if it is a limit
    spread: typing.Optional[tuple] = None    # the smallest and the largest ratio of a round
    limit: bool = False

    def met(self):
        if self.target is None:
            return None
        return (self.tenk if self.limit else self.ratio) <= self.target

    def cells(self):
        ratio = f"{self.ratio:.2f}" if self.ratio else ""
        if self.spread:
            ratio += f" ({self.spread[0]:.2f}-{self.spread[1]:.2f})"
        target = ""
        if self.target is not None:
            target = f"<= {self.target:,.0f} {self.unit}" if self.limit else f"<= {self.target:.2f}"
        return [self.name, figure(self.tenk, self.unit), figure(self.beside, self.unit), ratio, target,
                {None: "", True: "met", False: "MISSED"}[self.met()]]

    def as_json(self):
        return {**dataclasses.asdict(self), "met": self.met()}


def figure(value, unit):
    return f"{value:,.0f} B" if unit == "B" else f"{value:.2f} {unit}"


HEAD = ["measure", "tenk", "beside it", "ratio (spread)", "target", ""]


def table(rows):
    lines = [HEAD] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)
