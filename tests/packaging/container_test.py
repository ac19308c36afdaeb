"""What the image promises, started as an engine would start it:

    python3 tests/packaging/container_test.py ROOT IMAGE.JSON LOAD_ROOT LOAD_IMAGE.JSON

ROOT is the image's root, mounted, and IMAGE.JSON what buildah says of it; the others are of the image that the
load profile runs. Needs root, for namespaces."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from asking import Asking, gets  # noqa: E402
from container import VOLUME, Container, Image, children, status_of  # noqa: E402


def try_to_write(folder):
    """Whether a file can be made in it."""
    path = os.path.join(folder, "written")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)
        return True
    except OSError:
        return False


class TheImage(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tenk-container-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.volume = os.path.join(self.folder, "volume")
        subprocess.run(["cp", "-a", image.root + VOLUME, self.volume], check=True)

    def start(self, *arguments, **environment):
        container = Container(image, self.volume, *arguments, **environment)
        self.addCleanup(container.end)
        return container

    def test_it_says_what_it_is(self):
        says = image.says
        self.assertEqual(says["Entrypoint"], ["/usr/bin/tini", "-s", "--", "/usr/bin/tenk"])
        self.assertEqual((says["StopSignal"], list(says["Volumes"])), ("SIGTERM", [VOLUME]))
        self.assertEqual(list(says["ExposedPorts"]), [f"{image.environment({})['PORT']}/tcp"])
        self.assertTrue(image.user.isdigit() and int(image.user) > 0, image.user)
        container = self.start()
        container.wait_until_up()
        code, said = container.run("/usr/bin/tenk", "--version")
        self.assertEqual(code, 0)
        self.assertEqual(said.split()[1], says["Labels"]["org.opencontainers.image.version"])
        for name in ("title", "description", "revision"):
            self.assertTrue(says["Labels"]["org.opencontainers.image." + name])

    def test_nothing_is_in_it_that_it_does_not_need(self):
        programs = os.listdir(image.root + "/usr/bin")
        self.assertEqual(sorted(programs), ["tenk", "tini"])
        found = subprocess.run(["find", image.root, "-xdev", "-perm", "/7000", "-o", "-perm", "/022", "!", "-type", "l"],
                               capture_output=True, text=True, check=True).stdout
        self.assertEqual(found, "")

    def test_it_serves_and_is_well_by_its_own_check_from_the_first_start_on(self):
        container = self.start(TENK_PATTERNS_ENABLED="on")
        first = container.wait_until_up()
        self.assertEqual(container.healthy(), (0, ""))
        for path in ("/static/style.css", "/users/42?render=thread", "/users/42?render=process"):
            self.assertEqual(container.ask("GET", path)[0], 200, path)
        self.assertEqual(container.stop()[0], 0)
        again = self.start()
        second = again.wait_until_up()
        print(f"  from start to the first answer: {first:.2f} s with an empty volume, {second:.3f} s with its data")

    def test_it_is_not_well_while_it_does_not_answer(self):
        container = self.start()
        container.wait_until_up()
        tenk, = children(container.first)
        os.kill(tenk, signal.SIGSTOP)
        self.assertEqual(container.healthy()[0], 1)
        os.kill(tenk, signal.SIGCONT)
        self.assertEqual(container.healthy()[0], 0)

    def test_it_is_nobody_with_no_capability(self):
        container = self.start()
        container.wait_until_up()
        for pid in [container.first, *children(container.first)]:
            status = status_of(pid)
            self.assertEqual(set(status["Uid"].split()), {image.user})
            self.assertEqual(set(status["Gid"].split()), {image.group})
            self.assertEqual(status["Groups"].strip(), "")
            self.assertEqual((int(status["CapPrm"], 16), int(status["CapEff"], 16)), (0, 0))
        self.assertEqual(status_of(container.first)["NSpid"].split()[-1], "1")

    def test_nothing_can_be_written_but_its_volume_not_even_by_root(self):
        container = self.start()
        container.wait_until_up()
        top = f"/proc/{container.first}/root"
        writable, tried = [], 0
        for folder, folders, _ in os.walk(top):
            if folder == top:
                folders.remove("proc")
            tried += 1
            if try_to_write(folder):
                writable.append(folder[len(top):])
        self.assertEqual(writable, [VOLUME])
        self.assertGreater(tried, 20)
        status, _ = container.ask("POST", "/users/1/posts", "title=a&body=b", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(status, 303)

    def test_what_was_stored_outlives_the_container(self):
        container = self.start()
        container.wait_until_up()
        status, _ = container.ask("POST", "/users/7/posts", '{"title": "Kept", "body": "x"}',
                                  {"Content-Type": "application/json", "Accept": "application/json"})
        self.assertEqual(status, 201)
        container.end()                              # killed, as by an engine that has lost its patience
        again = self.start()
        again.wait_until_up()
        self.assertIn(b'"Kept"', again.ask("GET", "/users/7", headers={"Accept": "application/json"})[1])

    def test_it_stops_at_once_when_it_has_nothing_to_do(self):
        container = self.start()
        container.wait_until_up()
        code, seconds = container.stop()
        self.assertEqual(code, 0, container.said())
        self.assertLess(seconds, 2)

    def test_strangers_find_nothing_that_blocks_it(self):
        container = self.start()
        container.wait_until_up()
        self.assertIn("without /patterns", container.said())
        for path, status in (("/patterns", 404), ("/patterns/pitfall-sleep", 404), ("/users/42?render=inline", 403),
                             ("/users/42?render=process", 403), ("/users/42?render=thread", 200)):
            self.assertEqual(container.ask("GET", path)[0], status, path)

    def test_what_blocks_its_loop_is_named_with_file_and_line(self):
        container = self.start(TENK_PATTERNS_ENABLED="on")
        container.wait_until_up()
        self.assertEqual(container.ask("GET", "/patterns/pitfall-sleep", headers={"Accept": "application/json"})[0], 200)
        container.wait_for(lambda: "is blocked" in container.said())
        self.assertRegex(container.said(), r"run_sleep_bad \(handlers/gallery/patterns/pitfall_sleep\.c:\d+\)")

    def test_it_is_configured_by_its_environment_and_arguments(self):
        container = self.start("--workers", "1", PORT="9000", TENK_LIMITS_HEADERS="7")
        container.wait_until_up()
        self.assertEqual(container.healthy(), (0, ""))
        self.assertIn("0.0.0.0:9000", container.said())
        many = {f"X-{n}": "y" for n in range(8)}
        self.assertEqual(container.ask("GET", "/healthz", headers=many)[0], 431)

    def test_the_load_profile_asks_it_for_users(self):
        container = self.start()
        container.wait_until_up()
        with open(os.path.join(HERE, "../..", "compose.yaml")) as f:
            command = yaml.safe_load(f)["services"]["load"]["command"]
        here = {"-d30s": "-d1s", "${TARGET:-http://tenk:8080}": "http://127.0.0.1:8080"}
        wrk = [here.get(word, word) for word in command]
        self.assertEqual(len(set(command) - set(wrk)), 2)
        done = subprocess.run(
            ["nsenter", f"--target={container.first}", "--net", *load.inside("unshare", load.environment({})),
             f"--root={load.root}", "--", *load.says["Entrypoint"], *wrk],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout.strip().splitlines()[-1])
        self.assertGreater(result["requests"], 100)
        self.assertEqual(result["errors"], 0)

    def test_it_stops_at_once_while_it_fills_its_database_and_fills_it_the_next_time(self):
        container = self.start()
        container.wait_for(lambda: os.path.exists(f"{self.volume}/tenk.db"))
        code, seconds = container.stop()
        self.assertEqual(code, 128 + signal.SIGTERM, container.said())
        self.assertLess(seconds, 5)
        again = self.start()
        again.wait_until_up()
        self.assertEqual(again.ask("GET", "/users/10000")[0], 200)

    def test_it_stops_under_load_and_answers_what_it_was_asked(self):
        for mode in ("async", "threads"):
            with self.subTest(mode):
                self.stop_under_load(mode)

    def stop_under_load(self, mode):
        container = self.start("--mode", mode)
        container.wait_until_up()
        asking = Asking(container.port, 64, gets("/users/42", "/users/7", "/plaintext", "/sleep?ms=300"),
                        enter=container.enter_network)
        self.assertTrue(asking.begin(2000))
        before = asking.whole()
        code, seconds = container.stop()
        asking.ended()
        print(f"  SIGTERM under load, {mode}: ended with {code} after {seconds:.2f} s; of the requests {before} were answered before, "
              f"{asking.whole() - before} after it, {len(asking.lost)} lost; {asking.refused} clients came back and were refused")
        self.assertEqual(code, 0, container.said())
        self.assertEqual(asking.lost, [])
        self.assertEqual(set(asking.answered), {200})
        self.assertLess(seconds, 10)

    def test_the_first_process_reaps_what_others_left_behind(self):
        container = self.start()
        container.wait_until_up()
        # A program of this machine, in the container's namespace of processes: its child outlives it.
        subprocess.run(["nsenter", f"--target={container.first}", "--pid", "sh", "-c", "sleep 0.3 & exec true"],
                       check=True, timeout=10)
        adopted = container.wait_for(lambda: children(container.first)[1:])
        container.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in adopted), seconds=10)
        self.assertEqual(len(children(container.first)), 1)


if __name__ == "__main__":
    image, load = Image(*sys.argv[1:3]), Image(*sys.argv[3:5])
    unittest.main(argv=sys.argv[:1] + sys.argv[5:])
