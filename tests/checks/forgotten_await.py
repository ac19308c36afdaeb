#!/usr/bin/env python3
"""forgotten_await.py - the classic mistake, to start something and forget to await it, must not compile; the same with
its await must.

Tries every function that the headers declare to return a promise, with $CC, and with gcc and clang where they are; $DEFINES
says where the headers of others are."""
import glob
import os
import re
import shutil
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
HEADERS = sorted(h for room in ("server", "db", "handlers") for h in glob.glob(room + "/**/*.h", recursive=True))

# What a macro that returns a promise is called with; a new one has to be written down here.
MACROS = {
    "gather": "promise *p, promise *q: gather(p, q)",
    "all_settled": "promise *p, promise *q, int outcomes[]: all_settled(outcomes, p, q)",
    "race": "promise *p, promise *q: race(p, q)",
    "any": "promise *p, promise *q: any(p, q)",
    "either": "int *which, source s, source t: either(which, s, t)",
    "promise_new": "void *arg: promise_new(NULL, arg)",
    "promise_new_with_room": "int any: promise_new_with_room(NULL)",
    "promise_settled": "int err: promise_settled(err)",
    "promise_named": "promise *p: promise_named(p)",
    "query": "request *req, rows *found, const statement *s: query(req, found, s, integer(1))",
    "replica_query": "db *d, arena *a, rows *found, const statement *s: replica_query(d, a, found, s, integer(1))",
    "step": "run *r, promise *p: step(r, \"name\", p)",
}
# They find a promise for the one who settles it, and give it to nobody.
FOUND = {"promise_of_room", "promise_kept_in"}
FLAGS = ["-std=gnu17", "-I.", "-D_GNU_SOURCE", *os.environ.get("DEFINES", "").replace("'", "").split(),
         "-Wall", "-Wno-unused", "-Wunused-result", "-x", "c", "-c", "-o", "/dev/null", "-"]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def parameters(text, at):
    """The text between the bracket at `at` and the one that closes it."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return text[at + 1:i]


def names(declared):
    """The names of parameters: of `int (*fn)(void *arg), promise *parts[]` fn and parts."""
    depth, start, parts = 0, 0, []
    for i, c in enumerate(declared + ","):
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append(declared[start:i].strip())
            start = i + 1
    if parts == ["void"]:
        return []
    return [(re.search(r"\(\*(\w+)\)", p) or re.search(r"(\w+)(\[\w*\])*$", p)).group(1) for p in parts]


def functions(text):
    """Of each function that a header declares to return a promise: its name, its parameters as declared, a call of it."""
    for found in re.finditer(r"^(?!typedef)[\w ]*\bpromise \*(\w+)\(", text, flags=re.M):
        if found.group(1) in FOUND:
            continue
        declared = " ".join(parameters(text, found.end() - 1).split())
        yield found.group(1), declared, "%s(%s)" % (found.group(1), ", ".join(names(declared)))


def macros(text, known):
    """The same of each macro that calls one of those."""
    for name, body in re.findall(r"^#define (\w+)\([^)]*\)(.*)$", text.replace("\\\n", " "), flags=re.M):
        if any(re.search(rf"\b{k}\(", body) for k in known):
            if name not in MACROS:
                sys.exit(f"forgotten_await.py: a call of the macro {name} has to be written down in it")
            yield name, *MACROS[name].split(": ", 1)


def wrong_ones(compiler, calls):
    """Each call without its await, about which a compiler must complain, and each with it, about which it must not."""
    lines = ["#include <stdint.h>", '#include "server/async/task.h"', *(f'#include "{header}"' for header in calls)]
    must = {}
    for number, (_, declared, call) in enumerate(one for of_header in calls.values() for one in of_header):
        lines.append(f"int forgets{number}({declared});  int forgets{number}({declared}) {{ {call}; return 0; }}")
        must[len(lines)] = (True, call)
        lines.append(f"int awaits{number}({declared});  int awaits{number}({declared}) {{ return (await)({call}); }}")
        must[len(lines)] = (False, call)
    plain = [] if "clang" in compiler else ["-ftrack-macro-expansion=0"]     # a macro's error is where it is used
    ran = subprocess.run([*compiler.split(), *plain, *FLAGS], input="\n".join(lines) + "\n", capture_output=True, text=True)
    said = {int(line) for line in re.findall(r"^<stdin>:(\d+):.*(?:warning|error): ", ran.stderr, flags=re.M)}
    if ran.returncode or said - set(must):
        return [f"{compiler}: {ran.stderr}"]
    return [f"{compiler} lets one forget to await {call}" if complains else f"{compiler} refuses to await {call}"
            for line, (complains, call) in must.items() if complains != (line in said)]


def main():
    texts = {h: without_comments(open(h).read()) for h in HEADERS}
    calls = {h: list(functions(t)) for h, t in texts.items()}
    known = {name for of_one in calls.values() for name, _, _ in of_one}
    for header, text in texts.items():
        calls[header] += list(macros(text, known))
    if sum(map(len, calls.values())) < 50:
        sys.exit("forgotten_await.py: it does not find the functions")
    wrong = [one for compiler in sorted({os.environ.get("CC", "gcc"), "gcc", "clang"}) if shutil.which(compiler.split()[0])
             for one in wrong_ones(compiler, {header: of_one for header, of_one in calls.items() if of_one})]
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    sys.exit(bool(wrong))


main()
