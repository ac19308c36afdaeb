#!/usr/bin/env python3
"""format.py [--fix] [FILE...] - C as clang-format would have it, but for what its author has laid out.

Indentation, braces and the spaces between words are clang-format's; .clang-format says how. It has no option to leave
alone what is laid out by hand, so this puts back, as it was written:

    columns     two spaces or more within a line: members, prototypes, tables, comments
    items       where a list or an expression goes on in the next line, and how far that is indented
    one line    what has its braces on one line: an enum, a struct, a function
    text        comments, and the lines of a macro

Says what is laid out otherwise, or with --fix writes it, and which lines are longer than 130 columns. Without FILEs
looks at all that git knows. Ends with 1 if anything is wrong, or was."""
import difflib
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
COLUMNS = 130
CLANG_FORMAT = os.environ.get("CLANG_FORMAT") or shutil.which("clang-format-19") or "clang-format"

CHARACTER = re.compile(r"((?:\s|\\\n)*)(\S)")      # with the white space before it
COMMENT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|(/\*.*?\*/|//[^\n]*)", flags=re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|.)*", flags=re.M)
BRACES = re.compile(r"\{[^{}\n]*(?:\{[^{}\n]*\}[^{}\n]*)*\}")
LABEL = re.compile(r"^\s*(?:case\b.*|default|\w+):\s*$")
GOES_ON_AFTER = set(",([=?:|&+-*/<>%\"")
GOES_ON_WITH = set("?:|&+-*/<>%=\".)],")


def clang_format(path, text):
    """What it makes of the text; to it `catch`, a function of ours, would be a word of C++."""
    ran = subprocess.run([CLANG_FORMAT, f"--assume-filename={path}"], input=re.sub(r"\bcatch\(", "catc_(", text),
                         capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"format.py: {path}: {ran.stderr}")
    return ran.stdout


def places(spans):
    return {i for start, end in spans for i in range(start, end)}


def laid_out(path, text):
    """The text with the white space that clang-format wants, except where that is its author's."""
    ours, theirs = list(CHARACTER.finditer(text)), list(CHARACTER.finditer(clang_format(path, text)))
    if len(ours) != len(theirs):
        sys.exit(f"format.py: {path}: clang-format changes more than white space")
    comments = places((m.start(1) + 1, m.end(1)) for m in COMMENT.finditer(text) if m[1])
    directives = places((m.start() + 1, m.end()) for m in DIRECTIVE.finditer(text))
    one_line = places(m.span() for m in BRACES.finditer(text))
    out, before, line = [], ";", ""          # the last character that is no comment, and its line
    for mine, other in zip(ours, theirs):
        kept, wanted, at = mine[1], other[1], mine.start(2)
        both = "\n" in kept and "\n" in wanted
        if kept == wanted or at in comments or at in directives:
            space = kept
        elif "\n" not in kept + wanted:
            space = kept if kept and wanted else wanted[:1]
        elif at in one_line and "\n" not in kept:
            space = kept
        elif (before in GOES_ON_AFTER or mine[2] in GOES_ON_WITH) and not (both and LABEL.match(line)):
            space = kept
        else:
            space = wanted
        out.append(space + mine[2])
        if at not in comments and text[at:at + 2] not in ("/*", "//"):
            before = mine[2]
            line = text[text.rfind("\n", 0, at) + 1:at + 1]
    return "".join(out) + "\n"


def check(path):
    text = open(path).read()
    want = laid_out(path, text)
    too_long = [f"{path}:{number}: {len(line)} columns, more than {COLUMNS}"
                for number, line in enumerate(want.splitlines(), 1) if len(line) > COLUMNS]
    return path, text, want, too_long


def difference(path, text, want):
    return "".join(difflib.unified_diff(text.splitlines(True), want.splitlines(True), path, "as make format has it", n=0))


def main():
    os.chdir(ROOT)
    fix = sys.argv[1:2] == ["--fix"]
    files = sys.argv[1 + fix:] or subprocess.run(["git", "ls-files", "*.c", "*.h"], capture_output=True, text=True,
                                                 check=True).stdout.split()
    wrong = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, text, want, too_long in pool.map(check, [f for f in files if os.path.exists(f)]):
            print("".join(line + "\n" for line in too_long), end="")
            if want != text and fix:
                open(path, "w").write(want)
            elif want != text:
                print(difference(path, text, want), end="")
            wrong = wrong or want != text or bool(too_long)
    sys.exit(wrong)


main()
