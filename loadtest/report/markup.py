"""HTML and SVG, built so that text can never become a tag."""

import re

EMPTY = {"meta", "br", "wbr"}
NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
FORBIDDEN = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"      # by XML, in any form
SPECIAL = re.compile("[&<>\"']|" + FORBIDDEN)


class Markup(str):
    """Text that is escaped already."""


def escape(value):
    if isinstance(value, Markup):
        return value
    return Markup(SPECIAL.sub(lambda found: NAMES.get(found[0], "\ufffd"), str(value)))


def join(*parts, between=""):
    """None is left out, and lists and generators are taken apart."""
    found = []
    for part in parts:
        if isinstance(part, (str, int, float)):
            found.append(escape(part))
        elif part is not None:
            found.append(join(*part, between=between))
    return Markup(between.join(found))


def tag(name, /, *children, **attributes):
    """class_ is class, stroke_width is stroke-width; an attribute that is None is left out."""
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(place(value))}"'
                   for key, value in attributes.items() if value is not None)
    if name in EMPTY:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{join(*children)}</{name}>")


def place(value):
    """Coordinates need no more than a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value
