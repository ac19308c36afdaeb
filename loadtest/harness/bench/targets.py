"""The tables: in Markdown, and laid out for a terminal as well."""

import dataclasses
import typing


@dataclasses.dataclass
class Beside:
    figure: float
    ratio: float
    spread: typing.Optional[tuple] = None    # the smallest and the largest ratio of a round

    def text(self):
        return f"{self.ratio:.2f}" + (f" ({self.spread[0]:.2f}-{self.spread[1]:.2f})" if self.spread else "")


@dataclasses.dataclass
class Row:
    name: str
    unit: str
    tenk: float
    beside: float                            # the floor's figure, or what else the name says
    ratio: typing.Optional[float]
    target: typing.Optional[float] = None    # of the ratio, or of tenk's figure if it is a limit
    spread: typing.Optional[tuple] = None    # of the ratio
    limit: bool = False
    least: bool = False                      # the target is the least that is wanted, not the most
    others: dict = dataclasses.field(default_factory=dict)   # Beside, with tenk's ratio to it: improved, base
    peers: dict = dataclasses.field(default_factory=dict)    # Beside, with its ratio to the floor

    def met(self):
        if self.target is None:
            return None
        found = self.tenk if self.limit else self.ratio
        return found >= self.target if self.least else found <= self.target

    def wanted(self):
        if self.target is None:
            return ""
        return (">= " if self.least else "<= ") + (f"{self.target:,.0f} {self.unit}" if self.limit else f"{self.target:.2f}")

    def cells(self):
        ratio = Beside(self.beside, self.ratio, self.spread).text() if self.ratio else ""
        return [self.name, figure(self.tenk, self.unit), figure(self.beside, self.unit), ratio, self.wanted(),
                {None: "", True: "met", False: "MISSED"}[self.met()]]

    def as_json(self):
        return {**dataclasses.asdict(self), "met": self.met()}


def figure(value, unit):
    return f"{value:,.0f} {unit}" if unit in ("B", "/s") else f"{value:.2f} {unit}"


HEAD = ["measure", "tenk", "beside it", "ratio (spread)", "target", ""]
OTHERS = {"improved": "to the improved floor", "base": "new to old"}


def table(rows):
    others = [name for name in OTHERS if any(name in row.others for row in rows)]
    lines = [row.cells() + [row.others[name].text() if name in row.others else "" for name in others] for row in rows]
    return markdown([HEAD + [OTHERS[name] for name in others], *lines])


def peers_table(rows):
    """What the same took elsewhere, beside the same floor; nothing if there were no peers."""
    names = list(dict.fromkeys(name for row in rows for name in row.peers))
    rows = [row for row in rows if row.peers]
    lines = [[row.name, f"{row.ratio:.2f}"] + [row.peers[name].text() if name in row.peers else "" for name in names]
             for row in rows]
    return markdown([["ratio to the floor (spread)", "tenk", *names], *lines]) if rows else ""


def markdown(lines):
    widths = [max(4, *(len(line[i]) for line in lines)) for i in range(len(lines[0]))]
    lines.insert(1, ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]])
    return "\n".join("| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                                       for i, (cell, width) in enumerate(zip(line, widths))) + " |" for line in lines)
