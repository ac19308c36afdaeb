"""What valgrind's callgrind writes: instructions by the function that ran them, in groups that one can talk about."""

import collections
import re

# The first that matches the file or the library says where an instruction belongs. Inlined code counts where it was written.
GROUPS = [(re.compile(pattern), group) for pattern, group in (
    (r"llhttp", "llhttp"),
    (r"server/http/message/", "http/message"),
    (r"server/http/router\.", "router"),
    (r"server/http/(response|problem|output)\.", "response and output"),
    (r"server/http/", "http, the rest"),
    (r"server/async/", "async core"),
    (r"server/executor/", "executor"),
    (r"server/(base|diagnose|config)/", "base"),
    (r"server/main\.c", "base"),
    (r"(^|/)db/", "db"),
    (r"(^|/)handlers/", "handlers"),
    (r"libuv", "libuv"),
    (r"libpq", "libpq"),
    (r"sqlite", "sqlite"),
    (r"md4c", "md4c"),
    (r"lib(c|m|pthread)[.-]|ld-linux|vgpreload", "libc"),
)]
OTHERS = "others"


def group_of(path, library):
    for pattern, group in GROUPS:
        if pattern.search(path):
            return group
    return next((group for pattern, group in GROUPS if pattern.search(library)), OTHERS)


def read(lines):
    """Instructions by (group, function), of one dump. What a function calls counts there, not here."""
    names, at, found, called = {}, {"ob": "", "fl": "", "fn": ""}, collections.Counter(), False
    for line in lines:
        name = re.match(r"(c?)(ob|fl|fi|fe|fn)=(\(\d+\))(?: (.+))?$", line)
        if name:
            of_callee, kind, number, text = name.groups()
            known = names.setdefault({"fi": "fl", "fe": "fl"}.get(kind, kind), {})
            if text:
                known[number] = text
            if not of_callee:
                at[{"fi": "fl", "fe": "fl"}.get(kind, kind)] = known.get(number, "")
        elif line.startswith("calls="):
            called = True                        # the next line is what the callee took
        elif re.match(r"[\d+*-]", line):
            if not called:
                fields = line.split()
                found[group_of(at["fl"], at["ob"]), at["fn"].partition("'")[0]] += int(fields[1]) if len(fields) > 1 else 0
            called = False
    return found


def a_request(less, more, requests):
    """Of two dumps, the second of so many requests more: what one takes."""
    return {key: (more[key] - less[key]) / requests for key in less.keys() | more.keys() if more[key] != less[key]}


def by_group(cost):
    groups = collections.Counter()
    for (group, _), instructions in cost.items():
        groups[group] += instructions
    return groups
