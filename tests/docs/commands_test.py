"""What README.md and docs/ tell a reader to type does what they say: docs_test.py says how."""

import atexit
import functools
import glob
import os
import re
import shlex
import shutil
import subprocess
import time
import unittest
import urllib.request

from documents import DOCUMENTS, ROOT, blocks
from names_test import FLAGS
from sandbox import Sandbox, Server, starts_a_server
from tree import is_target, said_by

RUN_BY_MAKE = {"run", "help"}
ELSEWHERE = {"docker", "rr", "perf", "valgrind", "strace", "sqlite3", "npm", "git", "apt-get"}         # need not be here
NEEDS = {"gdb": "ptrace", "gcore": "ptrace", " < ": "peek"}     # what a command, or a line of the log, takes to be seen
PATIENCE = 20                                    # seconds for one thing to happen
BUILTINS = {"cd", "ulimit", "wait", "exit", "kill", "export", "echo"}


@functools.cache
def sandbox():
    box = Sandbox()
    atexit.register(box.close)
    return box


@functools.cache
def lacks(text):
    """Whether this machine does not grant what that needs."""
    wanted = [need for sign, need in NEEDS.items() if sign in text]
    return any(subprocess.run([f"{ROOT}/tests/support/needs.py", need], check=False).returncode for need in wanted)


def commands(block):
    """Its commands: lines, where one that goes on is joined to the next, without comments."""
    text = re.sub(r"\\\n\s*", "", block.text)
    lines = (re.sub(r"(^|\s+)#\s.*", "", line).strip() for line in text.split("\n"))
    return [line for line in lines if line]


def words_of(command):
    return [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]


def is_long(block, command):
    words = words_of(command)
    return "long" in block.words or words[:1] == ["make"] and not set(words[1:2]) <= RUN_BY_MAKE or words[0] in ELSEWHERE


class Commands(unittest.TestCase):
    """What the documents tell a reader to type does what they say."""

    def setUp(self):
        self.sandbox = sandbox()
        self.sandbox.running()

    def test_commands_do_what_is_said(self):
        for document in DOCUMENTS:
            logged, before = len(self.sandbox.running().said()), None
            for block in document.blocks:
                with self.subTest(block.where):
                    if block.language == "sh":
                        self.shell(block)
                        before = block
                    elif block.language == "console":
                        self.console(block, before)
            before = None
            for block in document.blocks:
                if block.language == "sh":
                    before = block
                if block.language == "log":
                    with self.subTest(block.where):
                        self.log(block, before, logged)

    def shell(self, block):
        if "<<" in block.text and "long" not in block.words:
            return self.run_all(block.text)
        together = []
        for command in [*commands(block), None]:
            if command and not is_long(block, command) and not starts_a_server(command):
                if not lacks(command):
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

    def console(self, block, before):
        expected, command = [], None
        for line in [*re.sub(r"\\\n\s*", "", block.text).splitlines(), "$ "]:
            if not line.startswith("$ "):
                expected.append(line)
                continue
            if command:
                self.compare(block, before, command, expected)
            command, expected = line[2:], []

    def compare(self, block, before, command, expected):
        """What it is to see may be over on a busy machine, or not yet there: then the commands before are run once more."""
        if is_long(block, command):
            self.look_at(command)
            return
        if starts_a_server(command):
            self.serve(command)
            return
        if lacks(command):
            return
        wanted, deadline = "\n".join(expected), time.monotonic() + PATIENCE
        pattern = re.escape(wanted).replace(re.escape("..."), ".*").replace("…", ".*")
        while True:
            status, out = self.sandbox.run(command)
            if status == 0 and (not expected or re.search(rf"(?s)(?:^|\n){pattern}(?:\n|$)", out)):
                return
            if not before or time.monotonic() > deadline:
                break
            self.shell(before)
        self.assertEqual(status, 0, f"{command}\n{out}")
        self.fail(f"{command}\n{out}\nis not\n{wanted}")

    def log(self, block, before, logged):
        """Its lines are in what the server has written since then, or will be when the commands before are run once more."""
        for line in block.text.splitlines():
            if lacks(line):
                continue
            pattern = re.sub(r"\d+", r"\\d+", re.escape(line)).replace("…", ".*")
            deadline = time.monotonic() + PATIENCE
            while not self.is_logged(pattern, logged):
                if time.monotonic() > deadline:
                    self.fail(f"{line}\nis not in\n{self.sandbox.running().said()[logged:]}")
                if before:
                    self.shell(before)

    def is_logged(self, pattern, logged):
        for _ in range(20):
            if re.search(pattern, self.sandbox.running().said()[logged:]):
                return True
            time.sleep(0.1)
        return False


class Handler(unittest.TestCase):
    """The handler that the README adds, added."""

    def test_it_answers(self):
        sample = next(block for block in blocks("c") if block.document == "README.md" and "hello_name.c -" in block.text)
        row = next(block for block in blocks("c") if block.document == "README.md" and block.text.startswith("{ "))
        box = sandbox()
        added = os.path.join(box.folder, "added")
        handlers = os.path.join(added, "handlers")
        shutil.copytree(os.path.join(box.tree, "handlers"), handlers)
        with open(os.path.join(handlers, "hello_name.c"), "w") as f:
            f.write(sample.text)
        replace(os.path.join(handlers, "handlers.h"), "#endif", "handler hello_name;\n#endif")
        replace(os.path.join(handlers, "routes.c"), "const route ROUTES[] = {", f"const route ROUTES[] = {{\n{row.text}")
        with open(os.path.join(ROOT, "mk/build.mk")) as f:
            names = re.search(r"^LIBRARIES := (.*)$", f.read(), re.MULTILINE).group(1).split()
        if subprocess.run(["pkg-config", "--exists", "libllhttp"], check=False).returncode == 0:
            names.append("libllhttp")
        libraries = subprocess.run(["pkg-config", "--cflags", "--libs", *names], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.split()
        done = subprocess.run(["gcc", *FLAGS, "-pthread", "-rdynamic", f"-I{added}", "-I.", "-o", f"{box.tree}/hello",
                               f"{handlers}/hello_name.c", f"{handlers}/routes.c", "build/server/main.c.o", "build/libtenk.a",
                               *libraries, "-lwslay"],
                              cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        box.running()                                # makes the database that both serve
        server = Server(box, "./hello --listen 127.0.0.1:8080")
        self.addCleanup(server.stop)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/hello/world", timeout=PATIENCE) as answer:
            self.assertEqual(answer.read(), b"Hello, world!\n")


def replace(path, old, new):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert old in text, f"{path} has no {old}"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new, 1))
