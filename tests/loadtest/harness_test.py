"""What the load test's own instruments promise: python3 tests/loadtest/harness_test.py FOLDER, where the folder has the openloop program."""

import contextlib
import os
import resource
import socket
import subprocess
import sys
import threading
import types
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../loadtest"))

from harness import accounts, bounds, figures, live, openloop, overload, sweep, trend  # noqa: E402

PROGRAM = "openloop"
PATIENCE = 20                                    # seconds for one thing to happen
BODY = b"x" * 5000


def answer(status, body=BODY, more=b""):
    return b"HTTP/1.1 %d Said\r\nContent-Type: text/plain\r\n%sContent-Length: %d\r\n\r\n" % (status, more, len(body)) + body


class Scripted:
    """A server whose script(connection, requests) says what becomes of so many requests that have just come."""

    def __init__(self, script):
        self.script, self.listener = script, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.serving = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def close(self):
        """Only when nobody is about to accept: the number of the descriptor may soon be that of another listener. Then clients
        have gone, and scripts have seen all that they will."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        for thread in self.serving:
            thread.join()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.serving.append(threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True))
                self.serving[-1].start()

    def serve(self, connection):
        rest = b""
        with contextlib.suppress(OSError), connection:
            while got := connection.recv(65536):
                *whole, rest = (rest + got).split(b"\r\n\r\n")
                if self.script(connection, whole) == "close":
                    return


def ask(script, connections, depth, *steps, path="/users/#", until=None):
    """Totals, times in milliseconds, the end and the steps, of a client that asks such a server; until an event, if one is given."""
    with contextlib.closing(Scripted(script)) as server:
        client = openloop.Client(None, PROGRAM, server.port, path, connections, depth, steps)
        try:
            if until:
                until.wait(PATIENCE)
                client.process.terminate()
            begun = list(client.begun())
            slices = client.slices()
        finally:
            client.end()
    return openloop.counts(slices), openloop.Times(slices), begun[-1], begun[:-1]


class OpenLoop(unittest.TestCase):
    def test_a_server_that_says_nothing_is_asked_no_less(self):
        counts, _, end, _ = ask(lambda *_: None, 5, 0, "1000:0.4")
        self.assertEqual((counts["offered"] + counts["missed"], counts["good"]), (400, 0))
        self.assertEqual(counts["sent"], counts["offered"])
        self.assertEqual(end["outstanding"], counts["sent"])

    def test_a_depth_gives_up_what_is_one_too_many(self):
        counts, _, end, _ = ask(lambda *_: None, 2, 3, "1000:1")
        self.assertEqual((counts["sent"], end["outstanding"]), (6, 6))
        self.assertEqual(counts["unsent"] + counts["missed"], 994)

    def test_answers_in_any_pieces_are_counted_by_status(self):
        statuses = [200, 503, 404, 200]

        def script(connection, requests):
            for _ in requests:
                statuses.append(statuses.pop(0))
                said = answer(statuses[-1])
                for at in (slice(0, 7), slice(7, 60), slice(60, 90), slice(90, None)):
                    connection.sendall(said[at])

        counts, times, end, _ = ask(script, 1, 0, "200:0.4", "1:0.3")
        answered = counts["good"], counts["refused"], counts["other"]
        self.assertEqual(sum(answered), counts["sent"] - end["outstanding"])
        for share, found in zip((2, 1, 1), answered):
            self.assertAlmostEqual(found, sum(answered) * share / 4, delta=1)
        self.assertEqual(times.total, counts["good"])

    def test_each_asks_for_another_user(self):
        seen, enough = set(), threading.Event()

        def script(connection, requests):
            seen.update(requests)
            if len(seen) > 50:
                enough.set()
            connection.sendall(answer(200) * len(requests))

        ask(script, 1, 0, f"200:{2 * PATIENCE}", until=enough)
        self.assertTrue(all(one.startswith(b"GET /users/") and b"Accept: application/json" in one for one in seen))
        self.assertGreater(len(seen), 50)

    def test_a_time_counts_from_when_a_request_was_due(self):
        held = []

        def script(connection, requests):
            held.extend(requests)
            if len(held) >= 200:                 # it was stopped for a fifth of a second
                connection.sendall(answer(200, b"") * len(held))
                held.clear()

        counts, times, _, _ = ask(script, 1, 0, "1000:1")
        self.assertGreaterEqual(counts["good"], 200)
        self.assertGreater(times.percentile(100), 190)
        self.assertLess(times.percentile(1), times.percentile(100) - 150)

    def test_a_connection_that_ends_is_told_and_opened_again(self):
        opened = []

        def script(connection, requests):
            if connection not in opened:
                opened.append(connection)
            connection.sendall(answer(200, more=b"Connection: close\r\n"))
            return "close"

        counts, _, _, _ = ask(script, 1, 0, "1000:2")
        self.assertGreaterEqual(len(opened), 3)
        self.assertGreater(counts["broken"], 0)
        self.assertEqual(counts["offered"] + counts["missed"], 2000)

    def test_a_factor_is_of_what_the_closed_step_had(self):
        def script(connection, requests):
            connection.sendall(answer(200, b"") * len(requests))

        _, _, _, (closed, opened) = ask(script, 2, 0, "closed:0.5", "0.1x:0.1")
        self.assertTrue(closed["closed"] and not opened["closed"])
        self.assertEqual(opened["at"] - closed["at"], 500000)
        self.assertGreater(opened["rate"], 0)

    def test_what_is_no_step_is_an_error(self):
        for step in ("fast", "10", "10:", "0:1", "2x:-1", "closed:"):
            with self.assertRaisesRegex(Exception, "is no step"):
                ask(lambda *_: None, 1, 0, step)


def one(n, good, ms=1.0):
    return {"at": n * openloop.SLICE, **dict.fromkeys(openloop.COUNTS, 0), "good": good, "times_us": {str(int(ms * 1000)): good}}


class Bounds(unittest.TestCase):
    def back(self, *slices):
        return bounds.back(slices, 0, len(slices) * openloop.SLICE, 2000, 1.0)

    def test_at_once(self):
        self.assertEqual(self.back(*[one(n, 100) for n in range(6)]), 0)

    def test_when_goodput_and_p99_are_both_there(self):
        late = [one(0, 10), one(1, 100, 9), one(2, 100, 9), one(3, 100), one(4, 100), one(5, 100)]
        self.assertEqual(self.back(*late), 150)

    def test_a_good_beginning_that_does_not_last_is_none(self):
        self.assertEqual(self.back(*[one(n, 100 if n < 4 or n > 20 else 20) for n in range(40)]), 1050)

    def test_never(self):
        self.assertIsNone(self.back(*[one(n, 80) for n in range(6)]))


class Overload(unittest.TestCase):
    def test_a_refusal_costs_what_good_answers_do_not_explain(self):
        counts = {"good": 100, "refused": 90, "other": 10}
        self.assertEqual(overload.refusal(counts, 5000, 40), 10)
        self.assertIsNone(overload.refusal(counts | {"refused": 1, "other": 0}, 5000, 40))

    def test_the_longest_turn_is_of_the_turns_between_two_readings(self):
        before = {"loops": [{"lag_ms": {"1": 10, "longer": 1}}]}
        after = {"loops": [{"lag_ms": {"1": 12, "8": 1, "longer": 1}}]}
        self.assertEqual(figures.lag(before, after)["max"], 8)
        self.assertEqual(figures.lag({"loops": []}, after)["max"], figures.LONGER)


class Sweep(unittest.TestCase):
    def test_the_first_row_is_the_last(self):
        self.assertEqual(sweep.downward([10, 100, 1000]), [100, 10])
        self.assertEqual(sweep.downward([100]), [100])


class Live(unittest.TestCase):
    def test_what_is_not_measured_is_told_with_a_reason(self):
        """With 1,000 files, of which 500 are for clients."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        asked = types.SimpleNamespace(connections=[10, 100, 400, 20000], rounds=0, client_cpu=0, build=".")
        models = [types.SimpleNamespace(id=id) for id in ("async", "threads")]
        of = types.SimpleNamespace(options=asked, models=models, skipped=[], runs=[])
        of.add_run = lambda run, each: of.runs.append((run["model"], run["connections"]))
        events = live.LIVE[-1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, hard))
        try:
            live.measure(of, events)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.assertEqual(of.runs, [("async", 100), ("threads", 100), ("async", 400)])
        self.assertEqual([(one["model"], one["connections"], one["why"]) for one in of.skipped], [
            (None, 10, events.why_no_fewer), ("threads", 400, live.TWO_FILES), (None, 20000, events.why_no_more)])
        self.assertTrue(events.why_no_fewer)


class Accounts(unittest.TestCase):
    def test_a_process_that_has_ended_is_counted_on(self):
        """A shell whose child computes for a moment, and is gone."""
        child = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
        with subprocess.Popen(["sh", "-c", '"$0" -c "$1"; echo gone; read line', sys.executable, child],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
            before = accounts.used(shell.pid)
            self.assertEqual(shell.stdout.readline(), "gone\n")
            self.assertGreater(accounts.used(shell.pid) - before, 0.15e9)
            self.assertLess(accounts.cpu(accounts.tree(shell.pid)), 0.15e9)
            shell.communicate("\n")


class Trend(unittest.TestCase):
    def verdict(self, *values):
        samples = [{"minute": n, "rest": 1, "resident": value} for n, value in enumerate(values)]
        return trend.verdict(trend.WATCHED[0], samples, 1)["flat"]

    def test_what_grows_is_not_flat(self):
        self.assertFalse(self.verdict(50, 50, 50.3, 50.6, 50.9, 51.2))

    def test_a_few_odd_ones_and_a_warm_up_are_forgiven(self):
        self.assertTrue(self.verdict(10, 50, 50, 90, 50, 50.1, 50, 50))
        self.assertTrue(self.verdict(90, 80, 70, 60, 50))

    def test_too_few_say_nothing(self):
        self.assertIsNone(self.verdict(1, 2, 3))


if __name__ == "__main__":
    PROGRAM = os.path.join(os.path.abspath(sys.argv.pop(1)), PROGRAM)
    unittest.main()
