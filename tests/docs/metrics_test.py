"""What docs/metrics.md, the dashboard and the alerts say of GET /metrics is so, and Prometheus reads all of it."""

import json
import re
import subprocess
import unittest
import urllib.request

from commands_test import sandbox
from documents import ROOT
from sandbox import Server

PAGE, DASHBOARD, ALERTS = f"{ROOT}/docs/metrics.md", f"{ROOT}/docs/grafana-dashboard.json", f"{ROOT}/docs/alerts.yml"
SUFFIX = r"_(bucket|sum|count)$"
OF_PROMETHEUS = {"up"}
ROUTES = ("/users/42", "/nothing", "/patterns/pitfall-sleep", "/patterns/any", "/static/style.css", "/workloads")


def read(path):
    with open(path) as f:
        return f.read()


def promtool(*words, page=None):
    done = subprocess.run(["promtool", *words], input=page, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def served(server):
    """/metrics, when some of what it counts has been done."""
    for route in ROUTES + ("/metrics",):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{route}", timeout=60) as answer:
                page = answer.read().decode()
        except urllib.error.HTTPError:
            pass
    return page


def families(page):
    """{name: (type, help)}"""
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", page, re.M))
    return {name: (kind, helps[name]) for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M)}


def labels(page):
    """{name: the labels of its samples}"""
    found = {}
    for name, inside in re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", page, re.M):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', inside))
    return found


def documented():
    """{name: (type, labels, help)}"""
    return {name: (kind, set(re.findall(r"\w+", names)), says) for name, kind, names, says in
            re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*) ?\| (.*) \|$", read(PAGE), re.M)}


def named_in(expression):
    without = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\bby \([^)]*\)', " ", expression)
    return set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b|\btopics\b|\bup\b", without)) - {"histogram_quantile"}


def expressions():
    """Of the dashboard and the alerts."""
    dashboard = json.loads(read(DASHBOARD))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    yield from (note["expr"] for note in dashboard["annotations"]["list"])
    yield from re.findall(r"^ +expr: (?:\|\n)?((?:.|\n(?! +(?:for|labels):))*)", read(ALERTS), re.M)


class Metrics(unittest.TestCase):
    """GET /metrics is what its documents say, and what Prometheus reads."""

    @classmethod
    def setUpClass(cls):
        cls.pages = {}
        for mode in ("async", "threads"):
            server = Server(sandbox(), f"build/tenk --mode {mode} --listen 127.0.0.1:8080")
            try:
                cls.pages[mode] = served(server)
            finally:
                server.stop()

    def test_promtool_has_nothing_to_say(self):
        for mode, page in self.pages.items():
            with self.subTest(mode=mode):
                self.assertEqual(promtool("check", "metrics", page=page), (0, ""))

    def test_every_metric_is_documented_as_it_is(self):
        told = documented()
        self.assertGreater(len(told), 50)
        for mode, page in self.pages.items():
            with self.subTest(mode=mode):
                self.assertEqual({name: (kind, says) for name, (kind, _, says) in told.items()}, families(page))

    def test_labels_are_those_that_are_documented(self):
        told = documented()
        for mode, page in self.pages.items():
            for name, is_there in labels(page).items():
                with self.subTest(mode=mode, name=name):
                    family = name if name in told else re.sub(SUFFIX, "", name)
                    self.assertEqual(is_there - {"le"}, told[family][1])

    def test_dashboard_and_alerts_ask_for_what_is_there(self):
        there, asked = set(families(self.pages["async"])) | OF_PROMETHEUS, set()
        for expression in expressions():
            names = {name if name in there else re.sub(SUFFIX, "", name) for name in named_in(expression)}
            self.assertTrue(names, expression)
            self.assertLessEqual(names, there, expression)
            asked |= names
        self.assertGreater(len(asked), 40)

    def test_the_alerts_are_accepted_and_speak_when_they_should(self):
        status, said = promtool("check", "rules", ALERTS)
        self.assertEqual(status, 0, said)
        status, said = promtool("test", "rules", f"{ROOT}/tests/docs/alerts_test.yml")
        self.assertEqual(status, 0, said)
