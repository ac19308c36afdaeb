"""Figures as people read them: with a unit, thousands separators, and no more digits than they carry."""

import math

SPACE = "\u00a0"
BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def digits(value):
    """Three of them below a thousand, all of them above; of a whole number no more than it has."""
    if abs(value) >= 999.5 or value == int(value):
        return f"{value:,.0f}"
    value = float(f"{value:.2e}")
    decimals = max(0, min(6, 2 - math.floor(math.log10(abs(value)))))
    said = f"{value:,.{decimals}f}"
    return said.rstrip("0").rstrip(".") if decimals > 2 else said


def scaled(value):
    """Bytes as (value, unit)."""
    power = 0
    while abs(value) >= 1023.5 and power < len(BYTES) - 1:
        value, power = value / 1024, power + 1
    return value, BYTES[power]


def write(value, unit=""):
    if value is None:
        return "\u2013"
    if unit == "bytes":
        value, unit = scaled(value)
        return (f"{value:,.0f}" if unit == "B" else digits(value)) + SPACE + unit
    return digits(value) + (SPACE + unit if unit else "")


def count(value):
    return f"{value:,.0f}" if isinstance(value, (int, float)) else str(value)


def tick(value, unit=""):
    """On an axis, whose title has the unit; only bytes say theirs at every tick."""
    if unit == "bytes" and value:
        value, unit = scaled(value)
        return f"{value:,.4g}{SPACE}{unit}"
    return f"{value:,.10g}"


def spread(found, unit=""):
    """The smallest and the largest of the rounds."""
    if found is None or found.min == found.max:
        return ""
    return f"{write(found.min, unit)}\u2009\u2013\u2009{write(found.max, unit)}"


def connections(value):
    if value is None:
        return "any number of connections"
    return f"{count(value)} connection{'' if value == 1 else 's'}"


def several(words, last="and"):
    """a, b and c"""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""
