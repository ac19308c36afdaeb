"""What there is in this tree, for those who check what is said of it."""

import functools
import os
import re
import subprocess

from documents import ROOT


@functools.cache
def there():
    """Every file of the tree, and every folder with a slash at its end."""
    found = set()
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", "build", "node_modules")]
        found.update(os.path.relpath(os.path.join(folder, name), ROOT) + "/" for name in folders)
        found.update(os.path.relpath(os.path.join(folder, name), ROOT) for name in files)
    return found


@functools.cache
def targets():
    """What make can be asked for."""
    told = subprocess.run(["make", "-npqrR", "--no-print-directory", "no-such-target"], cwd=ROOT, text=True, check=False,
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
def source(*folders):
    """All that is written there in C or Python, where a text that goes on in the next line is one."""
    text = ""
    for path in sorted(there()):
        if path.startswith(tuple(f"{folder}/" for folder in folders)) and path.endswith((".c", ".h", ".py")):
            with open(os.path.join(ROOT, path), encoding="utf-8") as f:
                text += f.read()
    return re.sub(r'"\s*\n\s*"', "", text)


@functools.cache
def said_by(*command):
    return subprocess.run([*command, "--help"], cwd=ROOT, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
