"""What README.md and docs/ name is there, and what they quote is accepted: docs_test.py says how."""

import glob
import json
import os
import re
import subprocess
import unittest

from documents import DOCUMENTS, ROOT, blocks
from tree import is_target, said_by, settings, source, there

LANGUAGES = {"sh", "console", "log", "c", "ini", "json", "text", "nginx", "caddy", "haproxy"}
HISTORY = {"CHANGELOG.md"}                       # what it names was there once
FOLDERS = r"server|db|handlers|tests|docs|loadtest|static|mk|\.ci"
TO_BE_WRITTEN = {"handlers/hello_name.c", "hello_name.c"}       # by the reader
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", "-Wno-unused-function",
         "-Wno-missing-field-initializers"]


class Names(unittest.TestCase):
    """What the documents name is there."""

    def each(self):
        for document in DOCUMENTS:
            if document.path not in HISTORY:
                for line, text in document.named():
                    yield f"{document.path}:{line}", text

    def test_each_link_leads_to_a_file_and_a_heading_of_it(self):
        known = {document.path: set(document.anchors()) for document in DOCUMENTS}
        for document in DOCUMENTS:
            for line, target in document.links():
                path, _, anchor = target.partition("#")
                path = os.path.normpath(os.path.join(os.path.dirname(document.path), path)) if path else document.path
                with self.subTest(f"{document.path}:{line}: {target}"):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, path)), "there is no such file")
                    self.assertTrue(not anchor or anchor in known.get(path, ()), "there is no such heading")

    def test_each_document_can_be_reached_from_the_readme(self):
        linked, following = set(), ["README.md"]
        while following:
            path = following.pop()
            linked.add(path)
            for document in DOCUMENTS:
                if document.path == path:
                    to = {os.path.normpath(os.path.join(os.path.dirname(path), target.partition("#")[0]))
                          for _, target in document.links()}
                    following += [p for p in to - linked if p.endswith(".md")]
        self.assertEqual([document.path for document in DOCUMENTS if document.path not in linked], [])

    def test_each_path_is_there(self):
        for where, text in self.each():
            for path in re.findall(r"(?<![\w/.-])(?:" + FOLDERS + r")/[\w./*-]*[\w/*]", text):
                with self.subTest(f"{where}: {path}"):
                    found = path in there() | TO_BE_WRITTEN or path + "/" in there() or glob.glob(os.path.join(ROOT, path))
                    self.assertTrue(found, "there is no such file")

    def test_each_file_that_is_named_without_its_folder_is_there(self):
        names = {os.path.basename(path) for path in there()}
        for where, text in self.each():
            if re.fullmatch(r"[\w-]+\.(c|h|S|py|sh|sql|ini|md|svg|js|css|in|mk)", text):
                with self.subTest(f"{where}: {text}"):
                    self.assertIn(text, names | TO_BE_WRITTEN, "there is no such file")

    def test_each_setting_is_one(self):
        sections = {section for section, _ in settings()}
        for where, text in self.each():
            for section, key in re.findall(r"\[(\w+)\] (\w+)", text):
                with self.subTest(f"{where}: [{section}] {key}"):
                    self.assertIn((section, key), settings())
            for name in re.findall(r"\bTENK_[A-Z_]+\b", text):
                with self.subTest(f"{where}: {name}"):
                    self.assertIn(name, {f"TENK_{s}_{k}".upper() for s, k in settings()} | {"TENK_SECTION_KEY"})
            if section := re.fullmatch(r"\[(\w+)\]", text):
                with self.subTest(f"{where}: {text}"):
                    self.assertIn(section[1], sections)

    def test_each_folder_of_the_source_is_on_the_map(self):
        with open(os.path.join(ROOT, "docs/architecture.md"), encoding="utf-8") as f:
            said = f.read()
        for folder in sorted(there()):
            if re.fullmatch(r"(server|db|handlers)/\w+/(\w+/)?", folder) and "__pycache__" not in folder:
                with self.subTest(folder):
                    self.assertTrue(f"`{folder}`" in said, "docs/architecture.md does not say what is in it")

    def test_each_test_is_one(self):
        """Below "test" in faults.md."""
        for document in DOCUMENTS:
            inside = False
            for line, text in document.prose:
                inside = text.startswith("    ") and (inside and text.startswith(" " * 13) or text.startswith("    test "))
                for name in re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+){2,}\b", text) if inside else ():
                    with self.subTest(f"{document.path}:{line}: {name}"):
                        self.assertIn(name, source("tests"), "there is no such test")

    def test_each_target_of_make_is_one(self):
        for where, text in self.each():
            if match := re.match(r"make ([a-z][\w-]*)\b(?!=)", text):
                with self.subTest(f"{where}: {text}"):
                    self.assertTrue(is_target(match[1]), "make knows no such target")

    def test_each_option_of_a_program_is_one(self):
        for where, text in self.each():
            if match := re.match(r"(?:build/)?(tenk|loadtest/(?:run|bench|instructions|soak|import|export)) ", text):
                program = "build/tenk" if match[1] == "tenk" else match[1]
                for option in re.findall(r"--[\w-]+", text):
                    with self.subTest(f"{where}: {text}"):
                        self.assertIn(option, said_by(program), "it knows no such option")


class Samples(unittest.TestCase):
    """What the documents quote is accepted by those it is meant for."""

    def test_each_block_says_what_it_is(self):
        for document in DOCUMENTS:
            for block in document.blocks:
                with self.subTest(block.where):
                    self.assertIn(block.language, LANGUAGES)

    def test_c_compiles(self):
        flags = subprocess.run(["pkg-config", "--cflags", "libuv", "libpq", "libcurl"], stdout=subprocess.PIPE, text=True,
                               check=False).stdout.split()
        compiler = os.environ.get("CC", "gcc").split()
        for block in blocks("c"):
            if block.words:
                continue
            with self.subTest(block.where):
                done = subprocess.run([*compiler, *FLAGS, "-I.", *flags, "-fsyntax-only", "-x", "c", "-"], cwd=ROOT,
                                      input=completed(block.text), text=True, check=False,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_c_of_a_file_is_in_that_file(self):
        for block in blocks("c"):
            if block.words:
                with self.subTest(f"{block.where}: {block.words[0]}"), open(os.path.join(ROOT, block.words[0])) as f:
                    self.assertIn(block.text, f.read())

    def test_log_lines_are_those_of_the_source(self):
        kernel = {os.strerror(number).lower() for number in range(1, 134)}
        for block in blocks("text"):
            for line in block.text.splitlines():
                if match := re.match(r"(?:error|warning|info|tenk): (.*)", line):
                    for words in re.split(r" in task .*?: |: |;|\d+| \(and |\(.*?[:/].*?\)|[A-Z]+ /\S+|\[", match[1]):
                        with self.subTest(f"{block.where}: {words}"):
                            said = words.strip(" ()")
                            self.assertTrue(said in source("server", "db", "handlers") or said.lower() in kernel, line)

    def test_settings_are_accepted(self):
        for block in blocks("ini"):
            with self.subTest(block.where):
                done = subprocess.run(["build/tenk", "--test-config", "--config", "/dev/stdin"], cwd=ROOT, input=block.text,
                                      text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_json_is_json(self):
        """A block is one value, which begins with a line of its own, or one a line."""
        for block in blocks("json"):
            with self.subTest(block.where):
                lines = block.text.splitlines()
                for value in [block.text] if lines[0] == "{" else lines:
                    json.loads(value)


def completed(text):
    """A sample of C as a file of its own."""
    prelude = '#include "tests/docs/samples.h"\n'
    if text.lstrip().startswith('{ "'):
        return f"{prelude}const route SAMPLE[] = {{\n{text}}};\n"
    text = re.sub(r'#include "(?!server/|db/)', '#include "handlers/', text)
    if re.search(r"^[a-z][\w *]*\w\([^;]*\)\n\{", text, re.MULTILINE):
        return prelude + text
    return f"{prelude}async int sample(request *req);\nasync int sample(request *req)\n{{\n{text}return req ? 0 : 1;\n}}\n"
