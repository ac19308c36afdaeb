"""HttpArena's entry, loadtest/httparena, agrees with the program: python3 tests/packaging/httparena_test.py"""

import json
import os
import re
import subprocess
import tempfile
import unittest
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
ENTRY = os.path.join(ROOT, "loadtest/httparena")
TENK = os.environ.get("TENK", os.path.join(ROOT, "build/tenk"))

ROUTES = {"baseline": "/baseline11", "limited-conn": "/baseline11", "latency-1m": "/baseline11", "latency-10k": "/baseline11",
          "pipelined": "/pipeline", "async": "/delay/:ms", "json": "/json/:count", "json-comp": "/json/:count",
          "upload": "/upload", "static": "/static/*", "async-db": "/async-db", "crud": "/crud/items/:id", "fortunes": "/fortunes"}


def read(name):
    with open(os.path.join(ROOT, name)) as f:
        return f.read()


def container_environment():
    instructions = read("loadtest/httparena/Dockerfile").replace("\\\n", " ")
    return dict(re.findall(r"([A-Z_]+)=(\S+)", " ".join(re.findall("(?m)^ENV (.*)$", instructions))))


def ask(url):
    request = urllib.request.Request(url, headers={"Accept-Encoding": "br;q=1, gzip;q=0.8"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


class Entry(unittest.TestCase):
    def test_each_profile_that_it_enters_has_its_route(self):
        paths = set(re.findall(r'"([^"]+)", +\.', read("handlers/routes.c")))
        entered = json.loads(read("loadtest/httparena/meta.json"))["tests"]
        self.assertEqual(len(entered), len(set(entered)))
        for profile in entered:
            self.assertIn(ROUTES[profile], paths, profile)

    def test_the_program_knows_what_the_container_sets(self):
        found = subprocess.run([TENK, "--print-config"], env=container_environment(), cwd="/", capture_output=True, text=True,
                               timeout=20)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        for line in (r"listen = :8080", r"enabled = on", r"dataset = /data/dataset\.json", r"root = /data/static"):
            self.assertRegex(found.stdout, rf"(?m)^{line}\b")

    def test_it_starts_where_its_user_may_write(self):
        workdir, = re.findall("(?m)^WORKDIR (.*)$", read("loadtest/httparena/Dockerfile").partition("FROM scratch")[2])
        self.assertIn(f" {workdir}\n", "".join(re.findall("(?m)^COPY .*--chown.*\n", read("loadtest/httparena/Dockerfile"))))
        self.assertEqual(os.path.dirname(container_environment()["DATABASE_URL"]), f"sqlite:{workdir}")

    def test_what_it_copies_is_there(self):
        with tempfile.TemporaryDirectory() as fork:
            os.mkdir(os.path.join(fork, "frameworks"))
            subprocess.run([os.path.join(ENTRY, "copy"), fork], check=True, timeout=60)
            there = os.path.join(fork, "frameworks/tenk")
            self.assertEqual(set(os.listdir(there)), {"Dockerfile", "README.md", "meta.json", "start", "tenk.tar.gz"})
            packed = subprocess.run(["tar", "tzf", os.path.join(there, "tenk.tar.gz")], capture_output=True, text=True,
                                    check=True).stdout
            for name in re.findall(r"(?<!/)(\.ci/\w+)|^ADD (\S+)|^COPY (start)", read("loadtest/httparena/Dockerfile")):
                name = "".join(name)
                self.assertTrue(os.path.exists(os.path.join(there, name)) or f"tenk/{name}\n" in packed, name)

    def start_with(self, processors, most):
        """What start gives to the program, on a machine with so many processors."""
        with tempfile.TemporaryDirectory() as folder:
            for name, says in ("nproc", f"echo {processors}"), ("tenk", 'echo "$TENK_DATABASE_CONNECTIONS $*"'):
                with open(os.path.join(folder, name), "w") as f:
                    f.write(f"#!/bin/sh\n{says}\n")
                os.chmod(f.name, 0o755)
            environment = {"PATH": folder, **({"DATABASE_MAX_CONN": str(most)} if most else {})}
            said = subprocess.run(["/bin/sh", os.path.join(ENTRY, "start")], env=environment, capture_output=True, text=True,
                                  timeout=20)
            self.assertEqual((said.returncode, said.stderr), (0, ""))
            return said.stdout.strip()

    def test_workers_share_the_connections_that_there_may_be(self):
        self.assertEqual(self.start_with(64, 256), "3 --workers 64")
        self.assertEqual(self.start_with(4, 256), "16 --workers 4")
        self.assertEqual(self.start_with(16, 256), "15 --workers 16")
        self.assertEqual(self.start_with(128, None), "1 --workers 128")

    def test_started_as_in_the_container_it_serves_the_arena_s_files(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "static"))
            for name, content in ("static/reset.css", "plain"), ("static/reset.css.br", "br"), ("dataset.json", json.dumps([{
                    "id": 1, "name": "N", "category": "c", "price": 2, "quantity": 3, "active": True, "tags": [],
                    "rating": {"score": 1, "count": 1}}])):
                with open(os.path.join(folder, name), "w") as f:
                    f.write(content)
            here = {name: re.sub("^/data", folder, value).replace("/var/lib/tenk", folder)
                    for name, value in container_environment().items()}
            here.update(TENK_SERVER_LISTEN="127.0.0.1:0", PATH=f"{os.path.dirname(TENK)}:{os.environ['PATH']}",
                        DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")        # of which it needs none here
            server = subprocess.Popen([os.path.join(ENTRY, "start")], env=here, cwd=folder, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
            try:
                url = re.search(r"http://127[\d.:]+", server.stdout.readline())[0]
                self.assertEqual(ask(f"{url}/static/reset.css"), b"br")
                self.assertEqual(json.loads(ask(f"{url}/json/1?m=5"))["items"][0]["total"], 30)
                self.assertEqual(ask(f"{url}/baseline11?a=13&b=42"), b"55")
            finally:
                server.terminate()
                server.stdout.close()
                self.assertEqual(server.wait(timeout=20), 0)


if __name__ == "__main__":
    unittest.main()
