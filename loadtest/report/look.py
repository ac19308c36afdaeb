"""The look of the charts: each model has a colour, a marker and a dash, so that none depends on the others."""

import typing


class Scheme(typing.NamedTuple):
    paper: str
    ink: str
    soft: str                                # labels
    line: str                                # rules and grids
    models: tuple


# Colours of Okabe and Ito's set, darkened and lightened until they can be read as text.
LIGHT = Scheme("#fdfcf9", "#1c1b19", "#5f5b55", "#e2ded6",
               ("#005f9e", "#b34700", "#00745a", "#923a72", "#6b6200", "#4b4b4b"))
DARK = Scheme("#171614", "#e9e6e0", "#aaa59c", "#35322e",
              ("#62b5f0", "#ff9b57", "#3fcba0", "#e79ac9", "#d9cf55", "#bdbdbd"))
DASHES = ("none", "7 3", "2 3", "9 3 2 3", "4 2 1 2", "1 2")
MARKS = ("M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z",       # disc
         "M-3.1-3.1h6.2v6.2h-6.2z",                                # square
         "M0-4.2L4 3.1H-4z",                                       # triangle
         "M0-4.5L4.1 0L0 4.5L-4.1 0z",                             # diamond
         "M0 4.2L4-3.1H-4z",                                       # triangle, upside down
         "M-1.3-4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z")    # cross
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def slot(model):
    return model.slot % len(MARKS)


def rules(scheme):
    """No variables and no currentColor: a stand-alone SVG is shown by more than browsers."""
    lines = [f".chart text{{fill:{scheme.soft}}}", f".chart .title{{fill:{scheme.ink}}}",
             f".chart .grid{{stroke:{scheme.line}}}", f".chart .axis{{stroke:{scheme.soft}}}",
             f".chart .paper{{fill:{scheme.paper};stroke:{scheme.line}}}", f".chart .mark{{stroke:{scheme.paper}}}"]
    for n, colour in enumerate(scheme.models):
        lines += [f".chart .c{n}{{stroke:{colour}}}", f".chart .c{n} .mark,.chart .c{n} text{{fill:{colour}}}",
                  f".chart .c{n} .mark.hollow{{fill:{scheme.paper};stroke:{colour}}}"]
    return "\n".join(lines)


def css(screen=""):
    """screen: what else must be true for the dark colours, as "screen and " for a page that is printed."""
    dashes = "\n".join(f".chart .c{n} .line{{stroke-dasharray:{dash}}}" for n, dash in enumerate(DASHES))
    return f"""\
.chart text{{font:10.5px {FONT};stroke:none;font-variant-numeric:tabular-nums}}
.chart .title{{font-size:13px;font-weight:600}}
.chart .big{{font-size:17px}}
.chart .end{{font-weight:600}}
.chart .grid,.chart .axis{{stroke-width:1;fill:none}}
.chart .full{{stroke-dasharray:3 3}}
.chart .line{{fill:none;stroke-width:1.8;stroke-linejoin:round}}
.chart .spread{{fill:none;stroke-width:1.5;opacity:.7}}
.chart .lead{{fill:none;stroke-width:.8;opacity:.6}}
.chart .mark{{stroke-width:1}}
.chart .mark.hollow{{stroke-width:1.5}}
{dashes}
{rules(LIGHT)}
@media {screen}(prefers-color-scheme:dark){{
{rules(DARK)}
}}"""
