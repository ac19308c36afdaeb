"""What is asked, by how many at once, and of whom."""

import dataclasses

STREAMED, POSTS_STREAMED = 9998, 200
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
    most: int = 10000                            # connections
    why_no_more: str = "more would tell nothing"
    peers: bool = True                           # they have this endpoint
    pace: float = 20                             # requests a second of one client, where a rate is given
    settings: dict = dataclasses.field(default_factory=dict)     # of tenk, in its environment
    fill: bool = False                           # the heavy user's posts are needed
    noun: str = "requests"
    reasons: dict = dataclasses.field(default_factory=dict)      # why, if async, threads or neither ("same") is better
    group: str = ""                              # one work done in several ways

    def kind(self):
        return ["post", self.body] if self.body else ["get", self.accept]

    def request(self):
        return f"{'POST' if self.body else 'GET'} {self.path}"


RENDER = dict(most=100, why_no_more="a page takes milliseconds of CPU: more at once only wait longer for one another",
              accept=HTML, peers=False, fill=True, group="the long page")
PAGE = dict(most=1000, why_no_more="there is no more to be had of one processor", accept=HTML, peers=False,
            group="the usual page")
CALLS = 64                                       # that block, at once: threads of the pool
COMPUTES = {"same": "computing costs the same on any thread"}
WAITS = {"async": "a request that waits is a few KiB, and no thread that has to be woken",
         "threads": "so few threads are cheap to wake", "same": "so few threads are cheap to wake"}
QUERIES = {"async": "both queries of a page are under way at once, and all requests share the connections' pipelines",
           "same": "what PostgreSQL takes decides"}

SCENARIOS = [
    Scenario("plaintext", "No wait", "What serving itself costs: a fixed answer of 13 bytes.", "/plaintext",
             reasons={"async": "what has come on many connections is served in one turn, without a switch"}),
    Scenario("database", "Database", "A user and their posts, as JSON: two queries on PostgreSQL.", "/users/42",
             reasons=QUERIES),
    Scenario("sleep", "Slow I/O", "Something else takes 100 ms, and needs no CPU.", "/sleep?ms=100", pace=4, reasons=WAITS),
    *[Scenario(f"link-{ms}", f"A link of {ms} ms to the database",
               f"The same page as JSON; a round trip to PostgreSQL takes {ms} ms more.", "/users/42", link_ms=ms,
               reasons={"async": "queries share the connections, while a thread keeps one for as long as it waits"})
      for ms in (1, 10, 50)],
    Scenario("render-inline", "CPU, in place", "A page that takes milliseconds to render, on the thread that took the "
             "request.", f"/users/{HEAVY}?render=inline", reasons=COMPUTES, **RENDER),
    Scenario("render-pool", "CPU, in the pool", "The same page, rendered on the thread pool; threads mode has none, and "
             "renders in place.", f"/users/{HEAVY}?render=thread", reasons=COMPUTES, **RENDER),
    Scenario("render-process", "CPU, in worker processes", "The same page, rendered by processes of their own, one for each "
             "processor: what they protect from is a crash.", f"/users/{HEAVY}?render=process", reasons={
                 "same": "both hand the work to the same processes"}, **RENDER),
    Scenario("page", "Mixed: I/O and CPU in one request", "Two queries on PostgreSQL, and then a page of ten posts is rendered: on "
             "the loop, for it is short, or on the thread of the connection.", "/users/42", reasons={
                 "same": "the database and the rendering cost the same"}, **PAGE),
    Scenario("page-pool", "Mixed, rendered in the pool", "The same, but rendered on the thread pool; threads mode has none, and "
             "renders in place.", "/users/42?render=thread", reasons={
                 "async": "a thread of the pool goes on with the next page by itself",
                 "threads": "the way to the pool and back costs more than it saves on one processor",
                 "same": "the way to the pool costs what a thread for each connection does"}, **PAGE),
    Scenario("page-process", "Mixed, rendered in worker processes", "The same, but rendered by processes of their own.",
             "/users/42?render=process", reasons={"same": "the way to the processes and back costs both the most"}, **PAGE),
    Scenario("block", "A library that only blocks", f"A call takes 20 ms, in which its thread can do nothing else; the pool has "
             f"{CALLS} of them.", "/block?ms=20", peers=False, settings={"TENK_THREADS_POOL": CALLS, "TENK_THREADS_RUNNING": CALLS},
             most=5000, why_no_more="the pool's share of them would be too small", reasons={
                 "threads": f"each call holds a thread, and the pool has {CALLS}",
                 "same": "up to the size of the pool a call waits for nobody"}),
    Scenario("post", "Posting", "A post is stored: one insert on PostgreSQL, each durable before the answer.",
             "/users/7/posts", body=POST, reasons={"same": "what the database stores in a second decides",
             "async": "what has come together is sent together", "threads": "a few threads wait for their own answer, and no more"}),
    Scenario("export", "A stream: an export", "All posts of a user with 200 of them, a page of twenty at a time, as chunks.",
             f"/users/{STREAMED}/posts.ndjson", accept="application/x-ndjson", peers=False, fill=True, most=1000,
             why_no_more="each has to ask eleven times: more at once only wait longer for one another", reasons={
                 "same": "what PostgreSQL takes decides", "async": "the queries of all share the connections' pipelines"}),
]

OPEN = ("plaintext", "database", "sleep")        # whose latency is measured at a given rate, too
SHARES = (0.5, 0.8, 0.95)                        # of the highest throughput seen

# A page of about 150 KB of Markdown takes a few milliseconds.
PARAGRAPH = ("Some *words* of **Markdown**, with a [link](https://example.com/notes), `code`, and <signs> & more. " * 4
             + "\n\n- one thing\n- another\n  - and a part of it\n\n> What was said\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n")
HEAVY_POSTS = [{"title": f"A long post, part {i}", "body": PARAGRAPH * 25} for i in range(1, 13)]
