"""The documents of this tree, read: their fenced blocks, their links, and what they name in backquotes."""

import dataclasses
import glob
import os
import re

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


@dataclasses.dataclass
class Block:
    """A fenced block: its first word, the others behind it, its lines, and where it begins."""

    document: str
    line: int
    language: str
    words: list
    text: str

    @property
    def where(self):
        return f"{self.document}:{self.line}"


class Document:
    def __init__(self, path):
        self.path = path
        self.blocks, self.prose = [], []         # of prose: (line number, text)
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            self.read(f.read().split("\n"))

    def read(self, lines):
        number, count = 0, len(lines)
        while number < count:
            fence = re.match(r"( *)```(.*)$", lines[number])
            number += 1
            if not fence:
                self.prose.append((number, lines[number - 1]))
                continue
            begun, indent, inside = number, fence[1], []
            while lines[number].strip() != "```":
                inside.append(lines[number].removeprefix(indent))
                number += 1
            number += 1
            language, *words = fence[2].split() or [""]
            self.blocks.append(Block(self.path, begun, language, words, "\n".join(inside) + "\n"))

    def links(self):
        """(line number, target) of each link and picture that leads to a place in this tree."""
        for number, text in self.prose:
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
                if not re.match(r"[a-z]+:", target):
                    yield number, target

    def anchors(self):
        """What its headings are called by, as GitHub does it."""
        for _, text in self.prose:
            if heading := re.match(r"#+ (.*)", text):
                yield re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")

    def named(self):
        """(line number, text) of all that stands in backquotes; a line that is indented is code."""
        for number, text in self.prose:
            for inside in re.findall(r"`([^`]+)`", text):
                yield number, inside


def paths():
    found = [path for pattern in ("*.md", "docs/*.md", "loadtest/**/*.md")
             for path in glob.glob(pattern, root_dir=ROOT, recursive=True) if "node_modules" not in path]
    return sorted(found)


def documents():
    return [Document(path) for path in paths()]


DOCUMENTS = documents()


def blocks(*languages):
    return [block for document in DOCUMENTS for block in document.blocks if block.language in languages]
