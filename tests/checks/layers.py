#!/usr/bin/env python3
"""layers.py - includes point one way: from what serves people down to what knows nothing of it.

    base < config < db, http < handlers < main            base < async < executor < db, http
                                                                   async < diagnose < http, inspect < handlers
                                                                   async < topic < http < service < main

No folder includes, by whatever way round, one that includes it, and neither does a module, which is a .c file with its
header. Ends with 1 and says what is wrong."""
import os
import re
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))

ASYNC = {"base", "async"}
MAY = {
    "base": {"base"},
    "config": {"base", "config"},
    "async": ASYNC,
    "executor": ASYNC | {"executor"},
    "diagnose": ASYNC | {"diagnose"},
    "topic": ASYNC | {"topic"},
    "inspect": ASYNC | {"diagnose", "inspect"},
    "db": ASYNC | {"config", "executor", "db"},
    "http": ASYNC | {"config", "executor", "diagnose", "topic", "http"},
}
MAY["handlers"] = MAY["db"] | MAY["http"] | {"inspect", "handlers"}
MAY["service"] = MAY["http"] | {"service"}
MAY["main"] = MAY["handlers"] | {"service", "main"}


def room(path):
    """server/http/async/reader.c is in http, db/sqlite/file.c in db, server/main.c is main."""
    parts = path.split("/")
    if parts[0] != "server":
        return parts[0]
    return parts[1] if len(parts) > 2 else "main"


def includes():
    """Each file with those of ours that it includes: (path, line, path)."""
    for top in ("server", "db", "handlers"):
        for folder, _, names in os.walk(top):
            for name in sorted(n for n in names if n.endswith((".c", ".h"))):
                path = os.path.join(folder, name)
                for number, line in enumerate(open(path), 1):
                    found = re.match(r'\s*#\s*include "([^"]+)"', line)
                    if found:
                        beside = os.path.join(folder, found.group(1))
                        yield path, number, beside if os.path.exists(beside) else found.group(1)


def circles(edges):
    """The sets of nodes each of which can be reached from each other one of them (Tarjan's algorithm)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for to in edges.get(node, ()):
            if to not in index:
                visit(to)
            if to in stack:
                low[node] = min(low[node], low[to])
        if low[node] == index[node]:
            circle = []
            while node not in circle:
                circle.append(stack.pop())
            if len(circle) > 1:
                found.append(sorted(circle))

    for node in edges:
        if node not in index:
            visit(node)
    return found


def graph(found, name):
    edges = {}
    for path, _, included in found:
        if name(path) != name(included):
            edges.setdefault(name(path), set()).add(name(included))
    return edges


def main():
    sys.setrecursionlimit(10000)
    found = list(includes())
    wrong = [f"{path}:{number}: {room(path)} may not include {included}" for path, number, included in found
             if room(included) not in MAY[room(path)]]
    folders = graph(found, os.path.dirname)
    wrong += ["folders that include each other: " + ", ".join(c) for c in circles(folders)]
    modules = graph(found, lambda path: os.path.splitext(path)[0])
    wrong += ["modules that include each other: " + ", ".join(c) for c in circles(modules)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(bool(wrong))


main()
