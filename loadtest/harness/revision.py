"""Another revision of this tree, built to be compared with."""

import contextlib
import dataclasses
import os
import re
import shutil
import subprocess
import sys

from .load import HERE
from .processes import Failure

ROOT = os.path.dirname(HERE)


@dataclasses.dataclass
class Program:
    path: str
    home: str                                    # the tree that it was built of: where it finds its static/


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, timeout=120)


@contextlib.contextmanager
def built(name):
    """Yields the server of a revision, which is there until the block ends; or the program, if the name is that of one."""
    if os.path.isfile(name) and os.access(name, os.X_OK):
        yield Program(os.path.abspath(name), ROOT)
        return
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").stdout.strip()
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        raise Failure(f"{name} is neither a revision nor a program")
    tree = f"{ROOT}/build/base-{commit[:12]}"
    forget(tree)
    try:
        done = git("worktree", "add", "--detach", tree, commit)
        if done.returncode:
            raise Failure(f"no worktree of {name}: {done.stderr.strip()}")
        print(f"# building {name}", file=sys.stderr, flush=True)
        done = subprocess.run(["make", "-s", "-C", tree, f"-j{os.cpu_count()}", "WERROR="], env=clean(), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
        if done.returncode:
            raise Failure(f"{name} does not build:\n{done.stdout[-2000:].strip()}")
        yield Program(f"{tree}/build/tenk", tree)
    finally:
        forget(tree)


def clean():
    """The environment without what a make above us has put there: it would build as that one does."""
    above = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL")
    return {name: value for name, value in os.environ.items() if name not in above}


def forget(tree):
    if os.path.exists(tree):
        git("worktree", "remove", "--force", tree)
        shutil.rmtree(tree, ignore_errors=True)
    git("worktree", "prune")
