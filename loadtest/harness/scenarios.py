"""What is asked, by how many at once, and of whom."""

import dataclasses

HEAVY = 9999                                     # the user whose page takes its time
SWEEP = (10, 100, 1000, 5000, 10000)
JSON, HTML = "application/json", "text/html"
POST = '{"title":"A load test","body":"One of many, **all alike**."}'


@dataclasses.dataclass
class Scenario:
    id: str
    title: str
    about: str
    path: str
    accept: str = JSON
    body: str = None                             # of a POST
    link_ms: float = 0                           # added to a round trip to the database
    most: int = 10000                            # connections; more would tell nothing
    why_no_more: str = ""
    peers: bool = True                           # they have this endpoint
    pace: float = 20                             # requests a second of one client, where a rate is given

    def kind(self):
        return ["post", self.body] if self.body else ["get", self.accept]

    def request(self):
        return f"{'POST' if self.body else 'GET'} {self.path}"


RENDER = dict(most=100, why_no_more="a page takes milliseconds of CPU: more at once only wait longer for one another",
              accept=HTML, peers=False)

SCENARIOS = [
    Scenario("plaintext", "No wait", "What serving itself costs: a fixed answer of 13 bytes.", "/plaintext"),
    Scenario("database", "Database", "A user and their posts, as JSON: two queries on PostgreSQL.", "/users/42"),
    Scenario("sleep", "Slow I/O", "Something else takes 100 ms, and needs no CPU.", "/sleep?ms=100", pace=4),
    *[Scenario(f"link-{ms}", f"A link of {ms} ms to the database",
               f"The same page as JSON; a round trip to PostgreSQL takes {ms} ms more.", "/users/42", link_ms=ms)
      for ms in (1, 10, 50)],
    Scenario("render-inline", "CPU, in place", "A page that takes milliseconds to render, on the thread that took the "
             "request.", f"/users/{HEAVY}?render=inline", **RENDER),
    Scenario("render-pool", "CPU, in the pool", "The same page, rendered on the thread pool; threads mode has none, and "
             "renders in place.", f"/users/{HEAVY}?render=thread", **RENDER),
    Scenario("post", "Posting", "A post is stored: one insert on PostgreSQL, each durable before the answer.",
             "/users/7/posts", body=POST),
]

OPEN = ("plaintext", "database", "sleep")        # whose latency is measured at a given rate, too
SHARES = (0.5, 0.8, 0.95)                        # of the highest throughput seen

# A page of about 150 KB of Markdown takes a few milliseconds.
PARAGRAPH = ("Some *words* of **Markdown**, with a [link](https://example.com/notes), `code`, and <signs> & more. " * 4
             + "\n\n- one thing\n- another\n  - and a part of it\n\n> What was said\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n")
HEAVY_POSTS = [{"title": f"A long post, part {i}", "body": PARAGRAPH * 25} for i in range(1, 13)]
