"""Where a value stands on an axis, from 0 to 1, and where the ticks are."""

import math

DECADES = 20                                 # times the smallest value: from there on an axis is logarithmic
GAP = 0.09                                   # below a logarithmic axis, where a zero may stand


def fitting(values, unit=""):
    positive = [value for value in values if value > 0]
    if positive and max(positive) > DECADES * min(positive):
        return Log(min(positive), max(positive), unit, zero=min(values) <= 0)
    return Linear(max(values, default=0), unit)


def base(value, unit):
    """Bytes are counted in steps of 1024, all else is not."""
    return 1024 ** math.floor(math.log(value, 1024)) if unit == "bytes" and value >= 1 else 1


class Linear:
    note = None

    def __init__(self, high, unit=""):
        high = high if high > 0 else 1
        one = base(high, unit)
        rough = high / one / 4
        power = 10 ** math.floor(math.log10(rough))
        step = one * next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough * 0.999)
        self.high = step * math.ceil(high / step * 0.999)
        self.ticks = [step * n for n in range(round(self.high / step) + 1)]

    def place(self, value):
        return value / self.high


class Log:
    note = "log scale"

    def __init__(self, low, high, unit="", zero=False):
        self.low, self.high, self.gap = math.log10(low / 1.15), math.log10(high * 1.15), GAP if zero else 0
        for steps, most in (((1, 2, 5), 5), ((1, 3), 6), ((1,), 7)):
            ticks = self.between(low / 1.15, high * 1.15, unit, steps)
            if len(ticks) <= most:
                break
        if len(ticks) > 7:
            ticks = ticks[::2]
        self.ticks = ([0] if zero else []) + ticks

    @staticmethod
    def between(low, high, unit, steps):
        found = set()
        for decade in range(-6, 19):
            for step in steps:
                if unit == "bytes":          # 1, 10 and 100 of each unit
                    value = step * 10 ** (decade % 3) * 1024 ** (decade // 3)
                else:
                    value = step * 10 ** decade if decade >= 0 else step / 10 ** -decade
                found.add(value)
        return sorted(value for value in found if low <= value <= high)

    def place(self, value):
        if value <= 0:
            return 0
        return self.gap + (1 - self.gap) * (math.log10(value) - self.low) / (self.high - self.low)


class Given(Log):
    """Logarithmic, with the ticks of what was measured."""

    def __init__(self, ticks):
        super().__init__(min(ticks), max(ticks) if max(ticks) > min(ticks) else min(ticks) * 10)
        self.ticks = sorted(ticks)
        self.low, self.high = math.log10(min(ticks)), math.log10(max(max(ticks), min(ticks) * 1.01))
