"""What loadtest/bench and loadtest/instructions are made of: python3 tests/loadtest/bench_test.py"""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import tempfile
import time
import types
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../loadtest"))

from harness import bounded, callgrind, importing, peers, processes, revision  # noqa: E402
from harness.bench import comparing, measures, targets  # noqa: E402

DUMP = """\
fl=(1) /src/server/http/router.c
ob=(1) /src/build/tenk
fn=(1) router_walk
10 100
+2 20
fi=(2) /src/server/base/buffer.h
* 5
fe=(1)
cfi=(3) ./malloc/malloc.c
cob=(2) /lib/libc.so.6
cfn=(2) malloc
calls=3 40
12 999

fl=(3)
ob=(2)
fn=(2)
40 7
"""


class Peers(unittest.TestCase):
    def listed(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write(text)
            f.flush()
            return peers.read(f.name)

    def chosen(self, text, asked="auto"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "peers.conf")
            with open(path, "w") as f:
                f.write(text)
            return peers.chosen(path, asked, folder)

    def test_our_own_file_is_in_order(self):
        self.assertIn("uv-min", [peer.name for peer in peers.read(peers.FILE)])

    def test_a_line_has_five_fields_and_comments_are_left_out(self):
        one, = self.listed("# mine\n\nmine | true | - | ./mine $PORT | /json /users\n")
        self.assertEqual((one.name, one.start, one.routes), ("mine", "./mine $PORT", ["/json", "/users"]))

    def test_what_is_wrong_with_a_line_is_said_with_its_number(self):
        for text, said in (("a | true | - | ./a\n", ":1: .* five fields"), ("\na | true | - | ./a | /nowhere\n", ":2: /nowhere"),
                           ("a | true | - | x | /json\n" * 2, ":2: a cannot"), ("floor | true | - | x | /json\n", ":1: floor cannot")):
            with self.subTest(text), self.assertRaisesRegex(processes.Failure, said):
                self.listed(text)

    def test_one_that_is_not_there_is_left_out_and_it_is_said_why(self):
        found, missing = self.chosen("a | false | - | x | /json\nb | true | echo no >&2; false | x | /json\nc | true | - | x | /json\n")
        self.assertEqual([peer.name for peer in found], ["c"])
        self.assertEqual(missing, {"a": "needs failed: false", "b": "build failed: echo no >&2; false: no"})

    def test_one_that_is_asked_for_must_be_there(self):
        with self.assertRaisesRegex(processes.Failure, "a: needs failed"):
            self.chosen("a | false | - | x | /json\n", "a")
        with self.assertRaisesRegex(processes.Failure, "has no b"):
            self.chosen("a | true | - | x | /json\n", "b")

    def test_it_is_built_into_the_folder_of_the_floors(self):
        found, _ = self.chosen("a | true | test -d $BUILD | x | /json\n")
        self.assertEqual(len(found), 1)

    def test_the_parts_of_a_url_are_variables(self):
        found = peers.database("postgresql:///things?host=/tmp/x&port=5555&user=me")
        self.assertEqual((found["PGHOST"], found["PGPORT"], found["PGUSER"], found["PGDATABASE"]), ("/tmp/x", "5555", "me", "things"))
        self.assertEqual(peers.database("sqlite:/tmp/x.db"), {})


class Rows(unittest.TestCase):
    ROUNDS = [{"tenk": 2.0, "floor": 1.0, "base": 4.0, "nginx": 3.0}, {"tenk": 9.0, "floor": 3.0, "base": 3.0, "nginx": 3.0},
              {"tenk": 4.0, "floor": 4.0, "base": 4.0, "nginx": 8.0}]

    def test_a_ratio_is_the_median_of_those_of_a_round(self):
        row = comparing.row("it", "us", self.ROUNDS, 1.5)
        self.assertEqual((row.ratio, row.spread, row.met()), (2.0, (1.0, 3.0), False))
        self.assertEqual((row.others["base"].ratio, row.peers["nginx"].ratio), (1.0, 2.0))

    def test_a_target_may_be_the_least(self):
        self.assertTrue(comparing.row("it", "/s", self.ROUNDS, 1.5, least=True).met())

    def test_who_goes_first_alternates(self):
        order = []
        measures = {name: lambda name=name: order.append(name) or 1.0 for name in "abc"}
        comparing.in_turn(measures, 2)
        self.assertEqual("".join(order), "abccba")

    def test_a_column_is_there_if_it_has_anything(self):
        rows = [comparing.row("it", "us", self.ROUNDS, 1.5), targets.Row("other", "B", 100, 90, None, 512, limit=True)]
        self.assertIn("new to old", targets.table(rows))
        self.assertNotIn("improved", targets.table(rows))
        self.assertIn("2.00 (1.00-3.00)", targets.peers_table(rows))
        self.assertEqual(targets.peers_table(rows[1:]), "")


def program():
    """loadtest/bench itself."""
    loader = importlib.machinery.SourceFileLoader("bench", os.path.join(HERE, "../../loadtest/bench"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench", loader))
    loader.exec_module(module)
    return module


class AllAtOneGo(unittest.TestCase):
    OPTIONS = types.SimpleNamespace(rounds=7, seconds=1, base=None)

    def test_each_measure_says_how_long_it_takes(self):
        self.assertEqual(set(bounded.USUAL), set(measures.MEASURES))
        self.assertLess(sum(bounded.expected(name, self.OPTIONS) for name in measures.COMPARED | measures.ALONE), 20 * 60)

    def test_what_takes_too_long_ends_with_a_failure(self):
        with self.assertRaisesRegex(processes.Failure, "echo took longer than 1 s"), bounded.within(1, "echo"):
            time.sleep(30)
        with bounded.within(1, "echo"):
            pass                                 # and is forgotten in time
        time.sleep(1.1)

    def test_one_that_fails_is_told_and_the_others_are_written(self):
        def broken(_):
            raise processes.Failure("it died")

        bench, told = program(), io.StringIO()
        row = targets.Row("it", "us", 2.0, 1.0, 2.0)
        measured = {"plain": lambda _: [row], "sqlite": broken, "posts": lambda _: [row, row]}
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(told):
            options = types.SimpleNamespace(only=list(measured), json=f"{folder}/a/b.json", markdown=f"{folder}/a/b.md",
                                            **vars(self.OPTIONS))
            found = {"rows": [], "failed": {}, "missing": {}, "took": {}}
            before = measures.MEASURES
            try:
                measures.MEASURES = measured
                bench.measure(None, options, found)
            finally:
                measures.MEASURES = before
            with open(options.json) as f:
                written = json.load(f)
            with open(options.markdown) as f:
                self.assertEqual(f.read().count("| it "), 3)
        self.assertEqual(written["failed"], {"sqlite": "it died"})
        self.assertEqual((len(written["rows"]), list(written["took"])), (3, list(measured)))
        self.assertIn("FAILED: sqlite: it died", told.getvalue())
        self.assertRegex(told.getvalue(), r"\d+ %  \d\d:\d\d left  measuring posts")


class Instructions(unittest.TestCase):
    def test_they_count_where_they_were_written_and_not_where_they_were_called(self):
        self.assertEqual(callgrind.read(DUMP.splitlines()), {
            ("router", "router_walk"): 120, ("base", "router_walk"): 5, ("libc", "malloc"): 7})

    def test_a_request_takes_what_more_of_them_took_more(self):
        cost = callgrind.a_request({("libc", "a"): 10, ("db", "b"): 5}, {("libc", "a"): 40, ("db", "b"): 5}, 10)
        self.assertEqual(dict(callgrind.by_group(cost)), {"libc": 3.0})


class Others(unittest.TestCase):
    def test_what_is_no_revision_is_an_error(self):
        with self.assertRaisesRegex(processes.Failure, "neither a revision nor a program"), revision.built("--no-such"):
            pass

    def test_lines_and_rows_are_of_the_same_posts(self):
        made = importing.posts(nobody=False)[:3]
        self.assertEqual(importing.lines(made).count(b"\n"), 3)
        self.assertTrue(importing.comma_separated(made).startswith(b'1,Import 0,"Some'))


if __name__ == "__main__":
    unittest.main()
