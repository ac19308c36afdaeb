"""What compose.yaml's scale profile promises, with processes of this machine: PostgreSQL, three tenk, and HAProxy
with the very configuration that the profile gives it: python3 tests/packaging/topology_test.py"""

import contextlib
import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "loadtest")]

from asking import Asking, gets, posts  # noqa: E402
from chatting import Chatting  # noqa: E402
from harness import databases  # noqa: E402
from harness.processes import Server, free_port, pinned, stop  # noqa: E402

TENK = os.path.join(ROOT, "build/tenk")
PROXY = os.path.join(ROOT, ".ci/haproxy.cfg")
USERS = [f"/users/{n}" for n in range(1, 1000, 7)] + ["/sleep?ms=50"]
CLIENTS = 48


class Topology:
    def __init__(self, stack):
        self.folder = tempfile.mkdtemp(prefix="tenk-topology-")
        stack.callback(shutil.rmtree, self.folder)
        self.url = stack.enter_context(databases.postgres([TENK], "0-63", self.folder))
        self.lock()
        self.ports = [free_port() for _ in range(3)]
        self.tenk = [None] * 3
        stack.callback(lambda: [stop(server.process) for server in self.tenk if server])
        for i in range(3):
            self.start(i)
        self.port = free_port()
        self.haproxy = self.proxy()
        stack.callback(stop, self.haproxy.process)

    def lock(self):
        """From now on the password of compose.yaml is asked for."""
        self.ask("alter role tenk password 'tenk'")
        with open(f"{self.folder}/postgres/data/pg_hba.conf", "w") as f:
            f.write("local all all scram-sha-256\n")
        self.ask("select pg_reload_conf()")

    def ask(self, sql):
        psql = [f"{databases.postgres_programs()}/psql", self.url, "-qXAt", "-c", sql]
        return subprocess.run(psql, env={**os.environ, "PGPASSWORD": "tenk"}, check=True, capture_output=True, text=True,
                              timeout=30).stdout

    def start(self, i):
        told = ["env", f"DATABASE_URL={self.url}", "PGPASSWORD=tenk", f"PORT={self.ports[i]}", "WEB_CONCURRENCY=1"]
        self.tenk[i] = Server(f"tenk-{i + 1}", pinned(None, [*told, TENK]), self.ports[i], f"{self.folder}/tenk-{i + 1}.log")
        self.tenk[i].wait_until_up()

    def proxy(self):
        told = os.path.join(self.folder, "stats.cfg")
        with open(told, "w") as f:
            f.write(f"global\n    stats socket {self.folder}/stats\n")
        server = Server("haproxy", pinned(None, [*self.command(), "-db", "-f", PROXY, "-f", told]), self.port,
                        f"{self.folder}/haproxy.log")
        server.wait_until_up()
        return server

    def command(self):
        """HAProxy, told in its environment where it listens and where the servers are."""
        where = [f"TENK_{i + 1}=127.0.0.1:{port}" for i, port in enumerate(self.ports)]
        return ["env", f"LISTEN=127.0.0.1:{self.port}", *where, "haproxy"]

    def stats(self):
        """HAProxy's own figures, by the name of the server, or FRONTEND and BACKEND."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{self.folder}/stats")
            s.sendall(b"show stat\n")
            rows = csv.DictReader(s.makefile().read().lstrip("# ").splitlines())
        return {row["svname"]: row for row in rows}

    def until(self, i, status):
        deadline = time.monotonic() + 20
        while not self.stats()[f"tenk-{i + 1}"]["status"].startswith(status):
            assert time.monotonic() < deadline, f"tenk-{i + 1} did not come {status}"
            time.sleep(0.02)


class Scale(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.here = Topology(cls.stack)

    def tearDown(self):
        for i in range(3):
            if self.here.tenk[i].process.poll() is not None:
                self.here.start(i)
            self.here.until(i, "UP")

    def retried(self):
        return {key: int(self.here.stats()["BACKEND"][key]) for key in ("wretr", "wredis")}

    def kill(self, i):
        self.here.tenk[i].process.kill()
        self.here.tenk[i].process.wait()

    def test_the_configuration_has_no_warning(self):
        said = subprocess.run([*self.here.command(), "-c", "-q", "-f", PROXY], capture_output=True, text=True, timeout=30)
        self.assertEqual((said.returncode, said.stderr), (0, ""), said.stdout)

    def test_requests_are_spread_over_all_three(self):
        before = self.here.stats()
        asking = Asking(self.here.port, CLIENTS, gets(*USERS))
        asking.begin(2000)
        asking.end()
        after = self.here.stats()
        for name in ("tenk-1", "tenk-2", "tenk-3"):
            self.assertGreater(int(after[name]["stot"]) - int(before[name]["stot"]), 100, name)

    def test_one_killed_under_load_costs_nobody_an_answer(self):
        before = self.retried()
        asking = Asking(self.here.port, CLIENTS, gets(*USERS))
        self.assertTrue(asking.begin(2000))
        self.kill(1)
        self.here.until(1, "DOWN")
        self.assertTrue(asking.more(2000))
        self.here.start(1)
        self.here.until(1, "UP")
        self.assertTrue(asking.more(2000))
        asking.end()
        after = self.retried()
        more = {key: after[key] - before[key] for key in after}
        print(f"  killed under load: {asking.whole()} answered, {len(asking.lost)} lost; HAProxy asked {more['wredis']} "
              f"again elsewhere; the slowest took {asking.slowest * 1e3:.0f} ms")
        self.assertEqual(asking.lost, [])
        self.assertEqual(set(asking.answered), {200})
        self.assertGreater(more["wredis"], 0)

    def test_all_are_replaced_one_after_the_other_and_nobody_sees_it(self):
        asking = Asking(self.here.port, CLIENTS, gets(*USERS))
        self.assertTrue(asking.begin(1000))
        for i in range(3):
            self.here.tenk[i].process.send_signal(signal.SIGTERM)
            self.assertEqual(self.here.tenk[i].process.wait(20), 0)
            self.here.start(i)
            self.here.until(i, "UP")
            self.assertTrue(asking.more(500))
        asking.end()
        print(f"  replaced one by one: {asking.whole()} answered, {len(asking.lost)} lost; "
              f"the slowest took {asking.slowest * 1e3:.0f} ms")
        self.assertEqual(asking.lost, [])
        self.assertEqual(set(asking.answered), {200})

    def test_a_post_is_never_asked_twice(self):
        user = 4711
        asking = Asking(self.here.port, CLIENTS, posts(user))
        self.assertTrue(asking.begin(500))
        self.kill(2)
        self.assertTrue(asking.more(500))
        asking.end()
        stored = self.here.ask(f"select title, count(*) from posts where user_id = {user} and title like 'asked-%' group by 1")
        stored = dict(line.split("|") for line in stored.splitlines())
        self.assertEqual({count for count in stored.values()}, {"1"})
        acknowledged = {title for title, status in asking.names.items() if status == 201}
        self.assertEqual(acknowledged - set(stored), set())
        self.assertEqual(set(asking.answered) - {201, 502}, set())
        unanswered = {title for title, _, _ in asking.lost} | {title for title, status in asking.names.items() if status != 201}
        self.assertEqual(set(stored) - acknowledged - unanswered, set())
        print(f"  posts when one is killed: {len(acknowledged)} acknowledged, all stored, once; of {len(unanswered)} that were "
              f"not, {len(unanswered & set(stored))} are stored, once")

    def test_a_chat_goes_on_when_one_is_killed_and_nobody_misses_anything_or_hears_it_twice(self):
        clients, sayings = 12, 16
        chatting = Chatting(self.here.port, "killed", clients, sayings)
        chatting.begin(clients * sayings // 3)
        self.kill(0)
        chatting.end()
        heard = [chatter.heard for chatter in chatting.all]
        self.assertEqual({text for _, text in heard[0]}, {f"c{i}-{n}" for i in range(clients) for n in range(sayings)})
        self.assertEqual([id_ for id_, _ in heard[0]], sorted({id_ for id_, _ in heard[0]}))
        for other in heard:
            self.assertEqual(other, heard[0])
        again = sum(chatter.connections > 1 for chatter in chatting.all)
        self.assertGreater(again, 0)
        print(f"  a chat when one is killed: {clients * sayings} messages to each of {clients}; {again} of them had to come again")

    def test_without_any_server_the_answer_is_503(self):
        for i in range(3):
            self.kill(i)
        for i in range(3):
            self.here.until(i, "DOWN")
        asking = Asking(self.here.port, 2, gets("/healthz"))
        self.assertTrue(asking.begin(4))
        asking.end()
        self.assertEqual(set(asking.answered), {503})


if __name__ == "__main__":
    unittest.main(verbosity=1)
