"""What compose.yaml says is valid, and agrees with the Dockerfile, the settings and the proxy: python3 tests/packaging/compose_test.py"""

import configparser
import os
import re
import shutil
import subprocess
import unittest

import yaml

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


def read(name):
    with open(os.path.join(ROOT, name)) as f:
        return f.read()


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text).group(1))


class Compose(unittest.TestCase):
    def setUp(self):
        self.services = yaml.safe_load(read("compose.yaml"))["services"]
        self.dockerfile = read("Dockerfile")

    def test_compose_itself_finds_it_valid(self):
        compose = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
        done = subprocess.run([*compose, "-f", "compose.yaml", "--profile", "load", "--profile", "scale", "config", "-q"],
                              cwd=ROOT, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_it_waits_longer_than_tenk_takes_to_stop(self):
        settings = configparser.ConfigParser(comment_prefixes="#", inline_comment_prefixes=None, strict=True)
        settings.read_string(re.sub("(?m)^;", "", read("config.ini")))
        for service in self.services.values():
            if service.get("image") == "tenk":
                self.assertGreater(seconds(service["stop_grace_period"]), seconds(settings["timeouts"]["drain"]) + 2)

    def test_who_is_waited_for_is_there_and_can_be_well(self):
        for name, service in self.services.items():
            for other, how in service.get("depends_on", {}).items():
                self.assertIn(other, self.services, name)
                if how["condition"] == "service_healthy":
                    checked = "healthcheck" in self.services[other] or self.services[other]["image"] == "tenk"
                    self.assertTrue(checked, f"{name} waits for {other}")
        self.assertIn("HEALTHCHECK ", self.dockerfile)

    def test_the_proxy_names_the_servers_of_the_scale_profile(self):
        servers = re.findall(r'server \S+ +"\$\{\w+-([\w-]+):8080\}"', read(".ci/haproxy.cfg"))
        tenk = [name for name, service in self.services.items() if service["image"] == "tenk" and "command" not in service]
        self.assertEqual(servers, tenk)
        self.assertEqual(set(self.services["haproxy"]["depends_on"]), set(tenk))
        self.assertIn("PORT=8080", self.dockerfile)

    def test_what_it_mounts_and_builds_is_there(self):
        for service in self.services.values():
            build = service.get("build")
            if isinstance(build, dict):
                self.assertRegex(self.dockerfile, rf"(?m) AS {build['target']}$")
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue(os.path.isfile(os.path.join(ROOT, source)), source)


if __name__ == "__main__":
    unittest.main()
