#!/usr/bin/env python3
"""structure.py [FOLDER] - how the C below FOLDER is divided: folders, files, functions, and what stands there twice.

A function's lines are those between its braces; one on a line of its own has one. Repeated are the lines of runs, and how
many runs: six lines of code or more that follow each other as they do somewhere before, word for word or but for names
and constants."""
import os
import re
import statistics
import sys
from collections import Counter

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
PROGRAM = ("server", "db", "handlers")
TOPS = PROGRAM + ("tests", "loadtest")
SMALL, RUN, FULL = 60, 6, 35

COMMENT = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|(/\*.*?\*/|//[^\n]*)", flags=re.S)
WORD = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|\w+")
LANGUAGE = set("if else for while do return switch case default break continue goto struct union enum typedef static "
               "extern inline const void int char bool long size_t sizeof NULL true false".split())
ON_ONE_LINE = re.compile(r"^\w[^={;]*\) *\{.*\}$")


def without_comments(text):
    """As many lines, without what is a comment."""
    return COMMENT.sub(lambda m: "\n" * m[0].count("\n") if m[1] else m[0], text)


def sources(top):
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(set(folders) - {"build", "node_modules"})
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.join(folder, name)


def functions(lines):
    """How many lines each function has."""
    begun = None
    for number, line in enumerate(lines):
        if ON_ONE_LINE.match(line):
            yield 1
        elif line == "{" and number and lines[number - 1].endswith(")"):
            begun = number
        elif line == "}" and begun is not None:
            yield number - begun - 1
            begun = None


def without_names(line):
    return WORD.sub(lambda m: m[0] if m[0] in LANGUAGE else "x", line)


def repeated(files):
    """How many runs of lines stand somewhere else before, and how many lines they have; not counted are includes and
    lines without a word."""
    lines = [(path, line) for path, text in files.items() for line in
             (" ".join(line.split()) for line in text) if re.search(r"\w", line) and not line.startswith("#include")]
    first, runs, covered, at = {}, 0, 0, 0
    while at + RUN <= len(lines):
        window = tuple(lines[at:at + RUN])
        words = tuple(line for _, line in window)
        if len({path for path, _ in window}) > 1:
            at += 1
        elif words in first and first[words] + RUN <= at:
            start, length = first[words], RUN
            while at + length < len(lines) and start + length < at and lines[at + length][1] == lines[start + length][1] \
                    and lines[at + length][0] == lines[at][0] and lines[start + length][0] == lines[start][0]:
                length += 1
            runs += 1
            covered += length
            at += length
        else:
            first.setdefault(words, at)
            at += 1
    return runs, covered


def row(name, tops, files):
    files = {path: text for path, text in files.items() if path.split("/")[0] in tops}
    texts = {path: without_comments(text).splitlines() for path, text in files.items()}
    lengths = [text.count("\n") for text in files.values()]
    alike = {path: [without_names(line) for line in text] for path, text in texts.items()}
    of_functions = [n for text in texts.values() for n in functions([line.rstrip() for line in text])]
    print(f"{name:12}{len(files):6}{sum(n < SMALL for n in lengths):9}{sum(lengths):8}"
          f"{sum(bool(line.strip()) for text in texts.values() for line in text):8}{len(of_functions):11}"
          f"{statistics.median(of_functions):8.0f}{statistics.mean(of_functions):7.1f}"
          f"{100 * sum(n <= 3 for n in of_functions) / len(of_functions):6.0f} %"
          f"{'%d in %d' % repeated(texts)[::-1]:>12}{'%d in %d' % repeated(alike)[::-1]:>15}")


def main():
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else ROOT)
    files = {path: open(path).read() for top in TOPS for path in sources(top)}
    print(f"{'':12} files  below {SMALL}   lines    code  functions  median   mean  to 3 l.   repeated  but for names")
    for top in TOPS:
        row(top, (top,), files)
    row("the program", PROGRAM, files)
    row("all", TOPS, files)
    for folder, count in Counter(os.path.dirname(path) for path in files).most_common():
        if count > FULL or count == 1:
            print(f"{folder}: {count} file{'s' if count > 1 else ''}")


main()
