"""What loadtest/report promises: python3 tests/loadtest/report_test.py"""

import copy
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
LOADTEST = os.path.join(HERE, "../../loadtest")
sys.path[:0] = [HERE, LOADTEST]

from report import (chart, compare, figure, markup, page, picture, publish, scale, table, targets, verdict,  # noqa: E402
                    why)
from report.results import Results, Spread, spread  # noqa: E402
from report_results import S, made_up  # noqa: E402

EVIL = "<script>alert('&\"')</script>|\x00"


class Balanced(html.parser.HTMLParser):
    """Fails at a tag that is not closed, an id that is there twice, or anything that would be loaded."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.found, self.words = [], set(), set(), {}, []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, name, attributes):
        self.found[name] = self.found.get(name, 0) + 1
        for key, value in attributes:
            assert key not in ("src", "srcset", "xlink:href", "action") and not key.startswith("on"), (name, key)
            if key == "href":
                assert value.startswith("#"), value
                self.links.add(value[1:])
            if key == "id":
                assert value not in self.ids, value
                self.ids.add(value)
        if name not in ("meta", "br", "wbr"):
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open and self.open.pop() == name, name

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def read(results):
    made = page.html(results)
    found = Balanced(made)
    assert found.links <= found.ids, found.links - found.ids
    xml.etree.ElementTree.fromstring(picture.svg(results))
    table.markdown(results)
    return found


def two(first, second, rounds=3):
    """One scenario, of which both models have the same but for throughput and p99, given as (median, min, max)."""
    runs = [{"scenario": "plaintext", "model": model, "connections": 100, "rounds": rounds,
             "requests_per_second": dict(zip(("median", "min", "max"), rate)), "latency_ms": {"p99": S(p99, 0.05)}}
            for model, (rate, p99) in (("async", first), ("threads", second))]
    return {"runs": runs}


def few():
    """Results of which a page is made quickly."""
    results = made_up("sleep")
    return results | {"runs": [run for run in results["runs"] if run["connections"] in (10, 5000)][:4]}


class Verdicts(unittest.TestCase):
    def verdict(self, *both, **options):
        results = Results(two(*both, **options))
        return verdict.sentence(results, "plaintext")

    def test_async_wins_where_its_rounds_are_all_better(self):
        self.assertIn(": async, at 100 connections", self.verdict(((200, 190, 210), 5), ((100, 90, 110), 9)))

    def test_threads_win_likewise(self):
        self.assertIn(": threads, at", self.verdict(((100, 90, 110), 9), ((200, 190, 210), 5)))

    def test_overlapping_rounds_are_no_difference(self):
        self.assertIn("no difference", self.verdict(((120, 90, 130), 5), ((100, 80, 125), 5)))

    def test_a_small_difference_is_none_even_without_overlap(self):
        self.assertIn("no difference", self.verdict(((102, 102, 102), 5), ((100, 100, 100), 5)))

    def test_one_round_needs_a_larger_difference(self):
        both = ((107, 107, 107), 5), ((100, 100, 100), 5)
        self.assertIn(": async", self.verdict(*both, rounds=3))
        self.assertIn("no difference", self.verdict(*both, rounds=1))

    def test_each_better_at_one_of_them_is_a_trade_off(self):
        self.assertIn("a trade-off", self.verdict(((200, 190, 210), 9), ((100, 90, 110), 5)))

    def test_latency_decides_where_throughput_does_not(self):
        self.assertIn(": threads", self.verdict(((100, 95, 105), 9), ((100, 95, 105), 5)))

    def test_what_was_not_measured_has_no_verdict(self):
        self.assertIsNone(compare.better(None, Spread(1, 1, 1), True))
        results = two(((100, 95, 105), 9), ((100, 95, 105), 5))
        del results["runs"][1]
        self.assertIsNone(verdict.sentence(Results(results), "plaintext"))
        self.assertIn("threads was not measured here", read(results).text())

    def test_neighbours_of_one_verdict_are_told_together(self):
        said = verdict.sentence(Results(made_up()), "database")
        self.assertEqual(said, "Better by throughput and p99: no difference at 10 to 1,000 and async at 5,000 to "
                               "10,000 connections.")

    def test_the_last_table_says_where_threads_win(self):
        said = page.html(made_up("plaintext"))
        said = said[said.index('class="workloads"'):]
        for expected in ("threads at 10 to 1,000", "no difference at 5,000", "async at 10,000"):
            self.assertIn(expected, said)

    def test_a_shorter_p99_at_a_lower_rate_is_no_win(self):
        results = made_up("database")
        for entry in results["open"]:
            if entry["model"] == "async":
                entry["offered_per_second"] = S(entry["offered_per_second"]["median"] / 2, 0)
        self.assertIn("the one with more offered had no shorter p99", read(results).text())


class Beyond(unittest.TestCase):
    """More than can be answered, and the way down of a sweep."""

    @classmethod
    def setUpClass(cls):
        cls.results = made_up("sleep")
        cls.said = read(cls.results).text()

    def test_a_missed_target_is_shown(self):
        self.assertIn("async: all of 6 steps have what is wanted.", self.said)
        self.assertIn("threads: missed: 1.4x goodput, p99 and time until it is back; 2x", self.said)
        self.assertIn("48 of 72 steps have all that is wanted.", self.said)
        row = re.search(r"threads, 10x .*?threads, 0\.8x", self.said)[0]
        for expected in ("60 % missed", "30 missed", "never missed"):
            self.assertIn(expected, row)

    def test_whatever_is_outstanding_is_judged_by_goodput_alone(self):
        self.assertIn("threads: missed: 1.4x goodput; 2x goodput; 5x goodput; 10x goodput.", self.said)

    def test_ten_times_the_maximum_is_allowed_a_little_less(self):
        entry = {"goodput_share": 0.9}
        self.assertFalse(targets.goodput(entry | {"factor": 5}))
        self.assertTrue(targets.goodput(entry | {"factor": 10}))

    def test_a_client_that_was_late_is_told(self):
        results = few()
        results["overload"] = copy.deepcopy(results["overload"])
        self.assertNotIn("the client was late", read(results).text())
        results["overload"][2]["late_share"] = 0.2
        self.assertIn("async, 2x the client was late", read(results).text())
        results["overload"][2]["cpu"]["others"] = 0.7
        said = read(results).text()
        self.assertIn("async, 2x the client was late, the machine was busy", said)
        self.assertIn("In 1 of them others used more than 30 % of a processor", said)

    def test_the_table_and_the_picture_have_it(self):
        self.assertIn("| SQLite, 3,000 connections, 1 request on each at most, async | 100 %, 8 ms | 100 %, 16 ms |",
                      table.markdown(self.results))
        self.assertIn("60 %, 240 ms (missed)", table.markdown(self.results))
        self.assertIn("Overload on PostgreSQL: goodput", picture.svg(self.results))

    def test_what_is_worse_on_the_way_down_is_flagged(self):
        self.assertIn("At 2 of 8 points a request took more than 1.1 times the CPU of the way up, 1.30 times at worst "
                      "(A wait of 100 ms, threads,", self.said)
        self.assertEqual(self.said.count("1.30 worse"), 2)

    def test_without_a_way_down_nothing_is_said_of_it(self):
        results = copy.deepcopy(made_up("sleep"))
        for run in results["runs"]:
            run.pop("down", None)
        self.assertNotIn("down again", read(results).text())


class Missing(unittest.TestCase):
    def test_nothing_at_all(self):
        for results in ({}, None, [], {"runs": None, "models": 3, "made": []}, {"runs": [None, {}, 1]}):
            self.assertIn("nothing that can be compared", read(results).text())
        self.assertIn("Nothing was measured", picture.svg({}))

    def test_each_part_may_be_missing(self):
        for key in made_up():
            results = few()
            del results[key]
            read(results)

    def test_each_value_of_a_run_may_be_null_or_nonsense(self):
        for key in made_up()["runs"][0]:
            for instead in (None, {}, float("nan")):
                results = few() | {"open": [], "mixed": [], "overload": []}
                for run in results["runs"]:
                    run[key] = instead
                read(results)

    def test_what_is_missing_is_said(self):
        results = made_up("sleep", "post")
        results["open"] = results["mixed"] = []
        results["runs"] = [run for run in results["runs"] if run["model"] != "node" and run["scenario"] != "post"]
        results["overload"] = [entry for entry in results["overload"] if entry["model"] != "node"]
        said = read(results).text()
        for expected in ("Not measured in this run: open loop and mixed load.",
                         "Without any result: Node, http and pg.",
                         "This scenario was not measured in this run.", "Left out: Python at 10,000 connections "
                         "(invented: too slow).", "Loop lag was not measured for threads."):
            self.assertIn(expected, said)

    def test_a_quick_run_says_so(self):
        results = made_up("sleep")
        results["made"].update(quick=True, rounds=1)
        said = read(results).text()
        self.assertIn("quick run", said)
        self.assertIn("one round only", said)

    def test_one_count_of_connections_and_zeros(self):
        results = made_up("sleep")
        results["runs"] = [run for run in results["runs"] if run["connections"] == 10]
        for run in results["runs"]:
            run["switches_per_request"] = {"voluntary": S(0), "involuntary": S(0 if run["model"] == "async" else 3)}
        read(results)

    def test_the_summary_takes_the_largest_count_if_its_own_is_missing(self):
        results = made_up("sleep")
        results["runs"] = [run for run in results["runs"] if run["connections"] <= 1000]
        self.assertIn("A wait of 100 ms, 1,000 connections.", read(results).text())


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.results = made_up("sleep", "render-pool")
        cls.made = page.html(cls.results)
        cls.read = Balanced(cls.made)

    def test_it_refers_to_nothing_outside(self):
        self.assertNotIn("script", self.read.found)
        self.assertNotIn("link", self.read.found)
        self.assertIsNone(re.search(r"@import|url\(", self.made))

    def test_every_run_is_in_the_table(self):
        figures = self.made[self.made.index('<section id="figures">'):self.made.index('<section id="machine">')]
        results = self.results
        many = sum(len(results[key]) for key in ("runs", "open", "mixed", "overload", "skipped"))
        self.assertEqual(figures.count('<th scope="row">'), many)
        for run in results["runs"]:
            for found in (run["requests_per_second"], run["latency_ms"]["p99.9"], run["cpu_us"]["user"]):
                self.assertIn(f">{figure.write(found['median'])}<", figures)

    def test_every_chart_is_named_and_described(self):
        charts = re.findall(r'<svg class="chart" .*?</svg>', self.made)
        self.assertGreater(len(charts), 30)
        for drawn in charts:
            root = xml.etree.ElementTree.fromstring(drawn)
            self.assertEqual(root.get("role"), "img")
            ids = {element.get("id") for element in root.iter()}
            self.assertLessEqual({root.get("aria-labelledby"), root.get("aria-describedby")}, ids)
            self.assertIsNone(re.search("nan|inf[^o]", " ".join(e.get("d") or "" for e in root.iter())))

    def test_sections_stand_in_their_order(self):
        ids = re.findall(r'<section id="([^"]*)"', self.made)
        self.assertEqual(ids[0], "summary")
        self.assertEqual(ids[-6:], ["open", "mixed", "overload", "figures", "machine", "workloads"])

    def test_memory_is_told_with_this_runs_own_figures(self):
        self.assertRegex(self.read.text(), r"threads \(5,002 threads\): of 39\.2 GiB of address space, "
                                           r"\S+ MiB are resident \(0\.\d+ %\)")


class Escaping(unittest.TestCase):
    def poisoned(self, value, key=None):
        if isinstance(value, dict):
            return {k: self.poisoned(v, k) for k, v in value.items()} | {EVIL: EVIL}
        if isinstance(value, list):
            return [self.poisoned(one) for one in value]
        return EVIL if isinstance(value, str) and key not in ("id", "model", "scenario") else value

    def test_no_text_becomes_a_tag(self):
        results = self.poisoned(few())
        found = read(results)
        self.assertNotIn("script", found.found)
        self.assertIn("<script>alert(", found.text())
        self.assertNotIn("\x00", found.text())
        self.assertNotIn("<script", picture.svg(results))

    def test_names_of_models_and_scenarios_may_be_anything(self):
        results = json.loads(json.dumps(made_up("link-10")).replace('"node"', json.dumps(EVIL)).replace(
            '"link-10"', json.dumps(EVIL)))
        self.assertNotIn("script", read(results).found)

    def test_a_bar_does_not_end_a_cell_of_the_table(self):
        results = made_up()
        results["scenarios"][0]["title"] = "a|b `c` <i>\nnew"
        line = table.markdown(results).splitlines()[2]
        self.assertTrue(line.startswith(r"| a\|b \`c\` &lt;i> new | 5,000 |"), line)


class Figures(unittest.TestCase):
    def test_three_digits_below_a_thousand_and_all_above(self):
        for value, expected in ((0, "0"), (0.01234, "0.0123"), (1.5, "1.50"), (99.96, "100"), (999.7, "1,000"),
                                (48210.4, "48,210"), (12, "12")):
            self.assertEqual(figure.digits(value).removesuffix(".0"), expected)

    def test_bytes_have_their_unit(self):
        self.assertEqual(figure.write(8 * 1024 ** 3, "bytes").replace(figure.SPACE, " "), "8 GiB")
        self.assertEqual(figure.write(1000, "bytes").replace(figure.SPACE, " "), "1,000 B")

    def test_a_spread_is_never_inside_out(self):
        self.assertEqual(spread({"median": 5, "min": 7, "max": 3}), Spread(5, 5, 5))
        self.assertEqual(spread(5), Spread(5, 5, 5))
        self.assertIsNone(spread({"min": 1}))

    def test_a_scale_is_logarithmic_where_values_span_decades(self):
        self.assertEqual(scale.fitting([3, 40]).note, None)
        self.assertEqual(scale.fitting([3, 400]).note, "log scale")
        self.assertEqual(scale.fitting([0, 3, 400]).ticks[0], 0)

    def test_places_are_inside_and_in_order(self):
        for values in ([0], [7], [0, 0.001, 5000], [1e-5, 1e9], [1024, 3 * 1024 ** 4], [3, 40]):
            for unit in ("", "bytes"):
                found = scale.fitting(values, unit)
                places = [found.place(value) for value in values]
                self.assertEqual(places, sorted(places))
                self.assertTrue(all(-0.001 <= place <= 1.001 for place in places), (values, places))
                self.assertLessEqual(len(found.ticks), 9)

    def test_a_line_is_interrupted_where_a_count_was_left_out(self):
        results = made_up()
        results["runs"] = [run for run in results["runs"] if (run["model"], run["connections"]) != ("async", 1000)]
        results = Results(results)
        from report import measure, panel
        line = panel.lines_of(results, "plaintext", measure.THROUGHPUT)[0]
        made = chart.make("", "", [line], "connections", results.connections("plaintext"))
        self.assertEqual(chart.drawn(made, line, 0).split("</path>")[0].count("M"), 2)


class Why(unittest.TestCase):
    """A sentence for each workload, of its figures."""

    def why(self, *both, scenario=None, **options):
        results = two(*both, **options)
        results["scenarios"] = [{"id": "plaintext", **(scenario or {})}]
        return why.of_scenario(Results(results), "plaintext")

    def test_who_is_better_and_by_how_much(self):
        found = self.why(((200, 190, 210), 5), ((100, 90, 110), 9))
        self.assertEqual((found["best"], found["at"], found["async"]), ("async", 100, "200 requests/s, p99 5\u00a0ms"))
        self.assertIn("2 times the requests with async and the p99 80\u00a0% longer with threads", found["why"])

    def test_it_says_plainly_where_threads_win_and_where_nobody_does(self):
        said = {"reasons": {"threads": "a call holds a thread", "same": "nothing differs", "async": "no thread"}}
        self.assertEqual(self.why(((100, 90, 110), 9), ((120, 115, 125), 9), scenario=said)["why"],
                         "20\u00a0% more requests a second with threads and the same p99: a call holds a thread.")
        found = self.why(((100, 90, 110), 9), ((101, 95, 111), 9), scenario=said)
        self.assertEqual((found["best"], found["why"]),
                         ("no difference", "As many requests a second with both and the same p99: nothing differs."))

    def test_a_trade_off_has_no_reason(self):
        said = {"reasons": {"threads": "a call holds a thread", "async": "no thread"}}
        found = self.why(((200, 190, 210), 9), ((100, 90, 110), 5), scenario=said)
        self.assertEqual((found["best"], ":" in found["why"]), ("a trade-off", False))

    def test_messages_are_counted_as_such_and_a_client_has_its_memory(self):
        results = two(((200, 190, 210), 5), ((100, 90, 110), 9))
        results["scenarios"] = [{"id": "plaintext", "noun": "messages"}]
        for run, each in zip(results["runs"], (600, 50000)):
            run["client_bytes"] = S(each, 0)
        found = why.of_scenario(Results(results), "plaintext")
        self.assertIn("600\u00a0B of memory a client with async instead of 48.8\u00a0KiB", found["why"])
        self.assertIn("200 messages/s", found["async"])

    def test_what_was_measured_of_one_alone_says_why(self):
        results = made_up("sleep")
        results["runs"] = [run for run in results["runs"] if run["model"] == "async"]
        results["skipped"] = [{"scenario": "sleep", "model": "threads", "connections": 10000, "why": "too few files"}]
        found = why.rows(Results(results))[0]
        self.assertIn("requests/s", found["async"])
        self.assertEqual((found["threads"], found["best"]), ("\u2013", "not compared"))
        self.assertEqual(found["why"], "Left out: threads at 10,000 connections (too few files).")

    def test_the_same_work_done_otherwise_stands_beside_it(self):
        results = made_up("render-inline", "render-pool")
        for scenario in results["scenarios"]:
            scenario["group"] = "the page"
        said = [row["why"] for row in why.rows(Results(results))]
        self.assertNotIn("where", said[0])
        self.assertIn("340\u00a0\u00b5s with async where \u201cRendering inline\u201d takes 300", said[1])

    def test_mixed_and_overload_have_rows(self):
        rows = {row["workload"]: row for row in why.rows(Results(made_up("sleep")))}
        self.assertEqual(rows[why.BESIDE]["best"], "no difference between async, in the pool and threads, in place")
        self.assertEqual(rows[why.BEYOND]["best"], "async")


class Publishing(unittest.TestCase):
    ROOT = os.path.join(LOADTEST, "..")

    def tree(self, folder):
        for path in ("handlers/gallery", "docs", "loadtest"):
            os.makedirs(os.path.join(folder, path))
        places = "".join(f"<!-- measured: {name} -->\nold\n<!-- end -->\nkept\n"
                         for name in ("workloads", "workloads made", "overload", "overload made", "bench", "bench made"))
        publish.put(f"{folder}/docs/performance.md", places)
        publish.put(f"{folder}/README.md", "Made on 1 May 1999, on it.\n")
        return folder

    def test_everything_is_of_one_run(self):
        with tempfile.TemporaryDirectory() as folder:
            data = made_up()
            publish.write(self.tree(folder), data)
            rows = json.loads(publish.take(f"{folder}/{publish.TABLE}.json"))["workloads"]
            document, page_part = publish.take(f"{folder}/docs/performance.md"), publish.take(f"{folder}/{publish.TABLE}.html")
            self.assertEqual(len(rows), 11)
            for row in rows:
                self.assertIn(f"| {row['workload']} |", document)
                self.assertIn(str(markup.escape(row["workload"])), page_part)
            self.assertEqual((document.count("old"), document.count("kept")), (2, 6))
            self.assertIn("on 1 January 2001: one process of each", document)
            self.assertIn("Made on 1 January 2001, on it.", publish.take(f"{folder}/README.md"))
            publish.write(folder, data)
            self.assertEqual(document, publish.take(f"{folder}/docs/performance.md"))

    def test_bench_has_its_own_place(self):
        row = {"name": "it", "unit": "us", "tenk": 2.0, "beside": 1.0, "ratio": 2.0, "spread": [1.5, 2.5],
               "peers": {"nginx": {"ratio": 3.0}}}
        data = {"made": {"date": "2001-01-01T00:00:00+00:00", "rounds": 7, "seconds_each": 1, "command": "loadtest/bench"},
                "rows": [row], "failed": {"echo": "it died\nthere"}, "took": {"plain": 119}}
        with tempfile.TemporaryDirectory() as folder:
            publish.write_bench(self.tree(folder), data)
            document = publish.take(f"{folder}/docs/performance.md")
        for expected in ("| it | 2.00 us | 1.00 us | 2.00 (1.50 to 2.50) |", "| echo: not measured: it died |",
                         "| it | 2.00 | 3.00 |", "in 2 minutes: medians of 7 rounds"):
            self.assertIn(expected, document)
        self.assertEqual(document.count("old"), 4)

    def test_a_document_without_a_place_is_an_error_and_nothing_to_publish_too(self):
        with tempfile.TemporaryDirectory() as folder:
            publish.put(f"{self.tree(folder)}/docs/performance.md", "nothing\n")
            with self.assertRaisesRegex(ValueError, "no place, or more than one, for workloads"):
                publish.write(folder, made_up("post"))
            with self.assertRaisesRegex(ValueError, "nothing in it"):
                publish.write(folder, {})

    def test_the_document_and_the_program_of_this_tree_have_the_same_table(self):
        told = json.loads(publish.take(f"{self.ROOT}/{publish.TABLE}.json"))["workloads"]
        document = publish.take(f"{self.ROOT}/{publish.DOCUMENT}")
        for row in told:
            self.assertIn(table.row([row["workload"], "" if row["at"] is None else f"{row['at']:,}",
                                     *(row[key] for key in ("async", "threads", "best", "why"))]), document)


class Program(unittest.TestCase):
    def test_it_makes_all_three_from_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            names = [os.path.join(folder, name) for name in ("r.json", "r.html", "r.svg")]
            with open(names[0], "w") as out:
                json.dump(made_up("post"), out)
            done = subprocess.run([sys.executable, os.path.join(LOADTEST, "report"), names[0], "--html", names[1],
                                   "--svg", names[2], "--markdown"], capture_output=True, text=True, cwd=folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("| workload | clients | async | threads | best model | why |"))
            with open(names[1], encoding="utf-8") as made:
                self.assertEqual(made.read(), page.html(made_up("post")))
            xml.etree.ElementTree.parse(names[2])

    def test_it_changes_nothing_in_the_results(self):
        results = made_up("sleep")
        before = copy.deepcopy(results)
        page.html(results), picture.svg(results), table.markdown(results)
        self.assertEqual(results, before)

    def test_a_file_that_is_none_is_an_error(self):
        done = subprocess.run([sys.executable, os.path.join(LOADTEST, "report"), "/nonexistent", "--markdown"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent", done.stderr)


if __name__ == "__main__":
    unittest.main()
