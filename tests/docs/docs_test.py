#!/usr/bin/env python3
"""What README.md and docs/ say is so: every command runs, every sample is accepted, and what is named is there.

    ```sh        is run, from top to bottom, in a copy of this tree beside a running server (sandbox.py); a line
                 that starts a server is stopped when it serves. Of what takes long (make test, docker, and blocks
                 that say so: ```sh long) it is looked whether it is there: program, target, option, file
    ```console   "$ command", and what it prints; ... stands for anything
    ```log       lines that the server has written when the document's commands have run; any numbers
    ```c         compiles (samples.h), or with a file's name behind the c, is a part of that file
    ```ini       is accepted by tenk -t
    ```json      is JSON
    ```text      is a picture, or a log line that takes too much to provoke: nothing is done with it"""

import functools
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from documents import ROOT, documents  # noqa: E402
from sandbox import Sandbox, Server, starts_a_server  # noqa: E402

DOCUMENTS = documents()
LANGUAGES = {"sh", "console", "log", "c", "ini", "json", "text"}
HISTORY = {"CHANGELOG.md"}                       # what it names was there once
TO_BE_WRITTEN = {"handlers/hello_name.c", "hello_name.c"}       # by the reader
RUN_BY_MAKE = {"run", "help"}
ELSEWHERE = {"docker", "rr", "perf", "valgrind", "git", "apt-get", "systemctl"}      # need not be here
BUILTINS = {"cd", "ulimit", "wait", "exit", "kill", "export", "echo"}


def blocks(*languages):
    return [block for document in DOCUMENTS for block in document.blocks if block.language in languages]


@functools.cache
def there():
    """Every file of the tree, and every folder with a slash at its end."""
    found = set()
    for path in glob.glob("**", root_dir=ROOT, recursive=True, include_hidden=True) if sys.version_info >= (3, 11) else walk():
        found.add(path + "/" * os.path.isdir(os.path.join(ROOT, path)))
    return {path for path in found if not path.startswith((".git/", "build/"))}


def walk():
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", "build", "node_modules")]
        for name in folders + files:
            yield os.path.relpath(os.path.join(folder, name), ROOT)


@functools.cache
def targets():
    """What make can be asked for."""
    told = subprocess.run(["make", "-npq", "--no-print-directory", "no-such-target"], cwd=ROOT, text=True, check=False,
                          env=plain_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    found = re.findall(r"^(?<!# Not a target:\n)([\w.%/-]+):(?!=)", told, re.MULTILINE)
    return [re.compile(re.escape(name).replace("%", ".+")) for name in found]


def plain_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def is_target(name):
    return any(target.fullmatch(name) for target in targets())


@functools.cache
def settings():
    """{(section, key)} of config.ini."""
    found, section = set(), None
    with open(os.path.join(ROOT, "config.ini"), encoding="utf-8") as f:
        for line in f:
            if match := re.match(r"\[(\w+)\]", line):
                section = match[1]
            elif match := re.match(r";(\w+) =", line):
                found.add((section, match[1]))
    return found


@functools.cache
def said_by(*command):
    return subprocess.run([*command, "--help"], cwd=ROOT, text=True, check=False, timeout=30, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def commands(block):
    """Its commands: lines, where one that goes on is joined to the next, without comments."""
    text = re.sub(r"\\\n\s*", "", block.text)
    return [line.strip() for line in text.split("\n") if line.strip() and not line.strip().startswith("#")]


def words_of(command):
    return [word for word in shlex.split(command, comments=True) if not re.match(r"[A-Z_]+=", word)]


def is_long(block, command):
    words = words_of(command)
    return "long" in block.words or words[:1] == ["make"] and not set(words[1:2]) <= RUN_BY_MAKE or words[0] in ELSEWHERE


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
            for path in re.findall(r"(?<![\w/.-])(?:server|db|handlers|tests|docs|loadtest|static|mk|\.ci)/[\w./*-]*[\w/*]", text):
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

    def test_each_target_of_make_is_one(self):
        for where, text in self.each():
            if match := re.match(r"make ([\w-]+)", text):
                with self.subTest(f"{where}: {text}"):
                    self.assertTrue(is_target(match[1]), "make knows no such target")


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
                done = subprocess.run([*compiler, "-std=gnu17", "-D_GNU_SOURCE", "-I.", *flags, "-Wall", "-Wextra", "-Werror",
                                       "-Wno-unused-variable", "-Wno-unused-function", "-Wno-missing-field-initializers",
                                       "-fsyntax-only", "-x", "c", "-"],
                                      cwd=ROOT, input=completed(block.text), text=True, check=False,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_c_of_a_file_is_in_that_file(self):
        for block in blocks("c"):
            if block.words:
                with self.subTest(f"{block.where}: {block.words[0]}"), open(os.path.join(ROOT, block.words[0])) as f:
                    self.assertIn(block.text, f.read())

    def test_settings_are_accepted(self):
        for block in blocks("ini"):
            with self.subTest(block.where):
                done = subprocess.run(["build/tenk", "--test-config", "--config", "/dev/stdin"], cwd=ROOT, input=block.text,
                                      text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_json_is_json(self):
        for block in blocks("json"):
            with self.subTest(block.where):
                for line in block.text.splitlines():
                    json.loads(line)


def completed(text):
    """A sample of C as a file of its own."""
    prelude = '#include "tests/docs/samples.h"\n'
    if text.lstrip().startswith('{ "'):
        return f"{prelude}const route SAMPLE[] = {{\n{text}}};\n"
    text = text.replace('#include "', '#include "handlers/').replace('"handlers/server/', '"server/').replace('"handlers/db/', '"db/')
    if re.search(r"^[a-z][\w *]*\w\([^;]*\)\n\{", text, re.MULTILINE):
        return prelude + text
    return f"{prelude}async int sample(request *req);\nasync int sample(request *req)\n{{\n{text}return req ? 0 : 1;\n}}\n"


class Commands(unittest.TestCase):
    """What the documents tell a reader to type does what they say."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.close()

    def test_commands_do_what_is_said(self):
        for document in DOCUMENTS:
            logged = len(self.sandbox.server.said()) if self.sandbox.server else 0
            for block in document.blocks:
                with self.subTest(block.where):
                    if block.language == "sh":
                        self.shell(block)
                    elif block.language == "console":
                        self.console(block)
            for block in document.blocks:
                if block.language == "log":
                    with self.subTest(block.where):
                        self.log(block, logged)

    def shell(self, block):
        if "<<" in block.text and "long" not in block.words:
            return self.run_all(block.text)
        together = []
        for command in [*commands(block), None]:
            if command and not is_long(block, command) and not starts_a_server(command):
                together.append(command)
                continue
            if together:
                self.run_all("\n".join(together))
            together = []
            if command:
                self.look_at(command) if is_long(block, command) else self.serve(command)
        return None

    def run_all(self, script):
        status, out = self.sandbox.run(script)
        self.assertEqual(status, 0, f"{script}\n{out}")

    def serve(self, command):
        server = Server(self.sandbox, command)
        status = server.stop()
        self.assertTrue(status == 0 or "make run" in command, f"{command}: ended with {status}:\n{server.said()}")

    def look_at(self, command):
        """Whether what it names is there."""
        for part in re.split(r" *(?:&&|\|\||\||;|&)(?: +|$)", command):
            words = words_of(part)
            if not words:
                continue
            program, *rest = words
            options = [word.split("=")[0] for word in rest if re.match(r"--\w", word)]
            if program == "make":
                for word in rest:
                    self.assertTrue("=" in word or word.startswith("-") or is_target(word), f"make knows no {word}")
                asked = re.findall(r"--[\w-]+", " ".join(re.findall(r"ARGS='([^']*)'", part)))
                for option in asked:
                    self.assertIn(option, said_by("loadtest/run"), part)
            elif program == "docker":
                self.assertIn(rest[0], {"build", "run", "compose", "exec", "stop"}, part)
            elif "/" in program and not program.startswith("build/"):
                self.assertTrue(os.access(os.path.join(ROOT, program), os.X_OK), f"{program} cannot be run")
                for option in options:
                    self.assertIn(option, said_by(program), part)
            elif program in ("python3", "sudo"):
                self.assertTrue(os.path.exists(os.path.join(ROOT, rest[0])) or program == "sudo", part)
            else:
                self.assertTrue(program in ELSEWHERE | BUILTINS or program.startswith("build/") or shutil.which(program),
                                f"there is no {program}")
            for word in rest:
                if re.match(r"(?:server|db|handlers|tests|docs|loadtest)/", word):
                    self.assertTrue(glob.glob(os.path.join(ROOT, word)), f"there is no {word}")

    def console(self, block):
        expected, command = [], None
        for line in [*re.sub(r"\\\n\s*", "", block.text).splitlines(), "$ "]:
            if not line.startswith("$ "):
                expected.append(line)
                continue
            if command:
                self.compare(block, command, expected)
            command, expected = line[2:], []

    def compare(self, block, command, expected):
        if is_long(block, command):
            self.look_at(command)
            return
        if starts_a_server(command):
            self.serve(command)
            return
        status, out = self.sandbox.run(command)
        if "ptrace" in out and "not permitted" in out:
            self.skipTest("gdb may not look into processes here")
        self.assertEqual(status, 0, f"{command}\n{out}")
        if expected:
            wanted = "\n".join(expected)
            pattern = re.escape(wanted).replace(re.escape("..."), ".*").replace("…", ".*")
            self.assertTrue(re.search(rf"(?s)(?:^|\n){pattern}(?:\n|$)", out), f"{command}\n{out}\nis not\n{wanted}")

    def log(self, block, logged):
        """Its lines are in what the server has written since then, or will be within two seconds."""
        for line in block.text.splitlines():
            pattern = re.sub(r"\d+", r"\\d+", re.escape(line)).replace("…", ".*")
            for _ in range(20):
                said = self.sandbox.running().said()[logged:]
                if re.search(pattern, said):
                    break
                time.sleep(0.1)
            else:
                self.fail(f"{line}\nis not in\n{said}")


class Handler(unittest.TestCase):
    """The handler that the README adds, added."""

    def test_it_answers(self):
        sample = next(block for block in blocks("c") if block.document == "README.md" and "hello_name.c -" in block.text)
        row = next(block for block in blocks("c") if block.document == "README.md" and block.text.startswith("{ "))
        sandbox = Sandbox()
        self.addCleanup(sandbox.close)
        handlers = os.path.join(sandbox.tree, "handlers")
        with open(os.path.join(handlers, "hello_name.c"), "w") as f:
            f.write(sample.text)
        replace(os.path.join(handlers, "handlers.h"), "handler          home,", "handler          hello_name, home,")
        replace(os.path.join(handlers, "routes.c"), "const route ROUTES[] = {", f"const route ROUTES[] = {{\n{row.text}")
        os.unlink(os.path.join(sandbox.tree, "build"))
        link = ["gcc", "-std=gnu17", "-O1", "-pthread", "-rdynamic", "-Wall", "-Werror", "-I.", "-D_GNU_SOURCE", "-o", "hello",
                "handlers/hello_name.c", "handlers/routes.c", f"{ROOT}/build/server/main.c.o", f"{ROOT}/build/libtenk.a"]
        names = "libdw libuv libpq sqlite3 inih md4c md4c-html jansson libcurl".split()
        parser = ["libllhttp"] if subprocess.run(["pkg-config", "--exists", "libllhttp"], check=False).returncode == 0 else []
        link += subprocess.run(["pkg-config", "--cflags", "--libs", *names, *parser], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.split()
        done = subprocess.run(link, cwd=sandbox.tree, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        os.makedirs(os.path.join(sandbox.tree, "build"))
        os.rename(os.path.join(sandbox.tree, "hello"), os.path.join(sandbox.tree, "build/tenk"))
        status, out = sandbox.run("curl -sf http://127.0.0.1:8080/hello/world")
        self.assertEqual((status, out), (0, "Hello, world!\n"))


def replace(path, old, new):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert old in text, f"{path} has no {old}"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new, 1))


if __name__ == "__main__":
    unittest.main()
