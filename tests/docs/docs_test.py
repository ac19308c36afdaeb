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
    ```nginx     and caddy and haproxy, are what tests/packaging/proxies_test.py starts them with
    ```text      is a picture, or lines of the log that take too much to provoke: their words are looked for in the source"""

import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from commands_test import Commands, Handler  # noqa: E402
from metrics_test import Metrics  # noqa: E402
from names_test import Names, Samples  # noqa: E402

__all__ = ["Commands", "Handler", "Metrics", "Names", "Samples"]

if __name__ == "__main__":
    unittest.main()
