"""HAProxy, nginx and Caddy in front of tenk, with the very configurations that docs/operations.md shows, and TLS that they end:
python3 tests/packaging/proxies_test.py

Each is asked over TLS, by a client with an address of its own, in both modes: what the client sees, and what tenk sees of it."""

import base64
import concurrent.futures
import contextlib
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests/docs"), os.path.join(ROOT, "loadtest")]

from documents import Document  # noqa: E402
from harness.processes import Server, free_port, pinned, stop  # noqa: E402

TENK = os.path.join(ROOT, "build/tenk")
CLIENT = "127.0.0.3"                         # any address of 127.0.0.0/8 is this machine's
NGINX = "daemon off; pid {0}/pid; error_log stderr notice;\nevents {{}}\nhttp {{ access_log off;\n{1}\n}}\n"


def shown(language, *words):
    """The one configuration of a kind that the document shows."""
    blocks = Document("docs/operations.md").blocks
    found, = (block.text for block in blocks if [block.language, *block.words] == [language, *words])
    return found


class Behind:
    """One proxy, and tenk behind it."""

    def __init__(self, stack, name, mode):
        self.name, self.mode = name, mode
        self.folder = tempfile.mkdtemp(prefix="tenk-proxies-")
        stack.callback(shutil.rmtree, self.folder)
        self.inner, self.port = free_port(), free_port()
        self.tenk = None
        self.make_certificate()
        self.start_tenk()
        stack.callback(lambda: stop(self.tenk.process))
        self.proxy = Server(name, pinned(None, self.command()), self.port, f"{self.folder}/{name}.log",
                            env={**os.environ, "HOME": self.folder, "XDG_DATA_HOME": self.folder, "XDG_CONFIG_HOME": self.folder})
        stack.callback(lambda: stop(self.proxy.process))
        self.proxy.wait_until_up()

    def make_certificate(self):
        pem, key = f"{self.folder}/tenk.pem", f"{self.folder}/tenk.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem, "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True,
                       timeout=60)
        with open(key, encoding="ascii") as k, open(pem, "a", encoding="ascii") as p:
            p.write(k.read())                # HAProxy has both in one file

    def real(self, text):
        return text.replace("/etc/ssl/tenk", f"{self.folder}/tenk").replace("8443", str(self.port)) \
            .replace("8080", str(self.inner))

    def command(self):
        text, path = self.real(shown(self.name)), f"{self.folder}/{self.name}.conf"
        if self.name == "nginx":
            text = NGINX.format(self.folder, text)
        if self.name == "caddy":
            text = "{\n    admin off\n    auto_https disable_redirects\n}\n" + text
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return {"haproxy": ["haproxy", "-db", "-f", path], "nginx": ["nginx", "-p", self.folder, "-c", path],
                "caddy": ["caddy", "run", "--adapter", "caddyfile", "--config", path]}[self.name]

    def start_tenk(self):
        """As the document says: it listens where the proxy looks for it, and trusts the proxy."""
        settings = self.real(shown("ini", "protocol" if self.name == "haproxy" else "proxy"))
        with open(f"{self.folder}/config.ini", "w", encoding="utf-8") as f:
            f.write(settings + "\n[timeouts]\ndrain = 1s\n")        # the proxy keeps connections, and does not leave by itself
        self.tenk = Server("tenk", pinned(None, ["env", f"TENK_SERVER_HANDOVER={self.folder}/handover", TENK, "--mode", self.mode,
                                                 "--workers", 2]), self.inner,
                           f"{self.folder}/tenk.log", cwd=self.folder)
        self.tenk.wait_until_up()

    def curl(self, path, *options):
        """(what -w says, the body)"""
        ran = subprocess.run(["curl", "-sS", "--interface", CLIENT, "--cacert", f"{self.folder}/tenk.pem", "--max-time", "20",
                              *options, f"https://localhost:{self.port}{path}"], capture_output=True, text=True, timeout=30,
                             check=True)
        return ran.stdout

    def connected(self):
        context = ssl.create_default_context(cafile=f"{self.folder}/tenk.pem")
        plain = socket.create_connection(("127.0.0.1", self.port), 20, source_address=(CLIENT, 0))
        return context.wrap_socket(plain, server_hostname="localhost")


def cases(test):
    """Of each proxy in each mode."""
    def of_all(self):
        for name in ("haproxy", "nginx", "caddy"):
            for mode in ("async", "threads"):
                with self.subTest(f"{name}, {mode}"):
                    test(self, self.behind(name, mode))
    return of_all


class Proxies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.all = {}

    def behind(self, name, mode):
        if (name, mode) not in self.all:
            self.all[name, mode] = Behind(self.stack, name, mode)
        return self.all[name, mode]

    @cases
    def test_the_client_has_http_2_and_tls_and_tenk_knows_its_address(self, behind):
        said = behind.curl("/whoami", "--http2", "-w", "\n%{http_version}")
        body, version = said.split("\n")
        self.assertEqual(version, "2")
        self.assertEqual(json.loads(body), {"address": CLIENT, "scheme": "https", "host": f"localhost:{behind.port}"})

    @cases
    def test_what_a_client_makes_up_of_itself_counts_for_nothing(self, behind):
        lies = ["X-Forwarded-For: 192.0.2.9", "Forwarded: for=192.0.2.9;proto=http;host=evil", "X-Forwarded-Proto: http",
                "X-Forwarded-Host: evil"]
        said = behind.curl("/whoami", *[word for lie in lies for word in ("-H", lie)])
        self.assertEqual(json.loads(said), {"address": CLIENT, "scheme": "https", "host": f"localhost:{behind.port}"})

    @cases
    def test_a_form_of_the_site_is_no_forgery_and_one_of_another_site_is(self, behind):
        form = ["-o", "/dev/null", "-w", "%{http_code}", "-d", "title=Hello&body=x"]
        own = behind.curl("/echo", *form, "-H", f"Origin: https://localhost:{behind.port}")
        other = behind.curl("/echo", *form, "-H", "Origin: https://evil.example")
        self.assertEqual((own, other), ("200", "403"))

    @cases
    def test_a_websocket_goes_through(self, behind):
        with behind.connected() as s:
            key = base64.b64encode(os.urandom(16)).decode()
            s.sendall((f"GET /ws/echo HTTP/1.1\r\nHost: localhost:{behind.port}\r\nUpgrade: websocket\r\n"
                       f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
            came = s.makefile("rb")
            self.assertIn(b" 101 ", came.readline())
            while came.readline() != b"\r\n":
                pass
            mask, word = b"\1\2\3\4", b"hello"
            s.sendall(struct.pack("!BB", 0x81, 0x80 | len(word)) + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(word)))
            self.assertEqual(came.read(2 + len(word)), b"\x81\x05hello")

    @cases
    def test_events_come_as_they_are_sent(self, behind):
        command = ["curl", "-sN", "--cacert", f"{behind.folder}/tenk.pem", "--max-time", "20",
                   f"https://localhost:{behind.port}/countdown?from=2"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
            lines = iter(client.stdout.readline, "")
            first = next(line for line in lines if line.startswith("data:"))
            self.assertIsNone(client.poll(), "all came at once")
            rest = [line for line in lines if line.startswith("data:")]
        self.assertEqual([first, *rest], ["data: 1\n", "data: 0\n"])

    @cases
    def test_tenk_may_be_started_again_behind_it(self, behind):
        stop(behind.tenk.process, 20)
        self.assertEqual(behind.tenk.process.returncode, 0)
        behind.start_tenk()
        deadline = time.monotonic() + 20
        while behind.curl("/healthz", "-o", "/dev/null", "-w", "%{http_code}") != "200":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    @cases
    def test_nobody_notices_that_another_tenk_takes_over_behind_it(self, behind):
        codes, over = [], threading.Event()

        def ask():
            while not over.is_set():
                codes.append(behind.curl("/users/42", "-o", "/dev/null", "-w", "%{http_code}"))

        with concurrent.futures.ThreadPoolExecutor(2) as visitors:
            asking = [visitors.submit(ask) for _ in range(2)]
            try:
                for _ in range(3):
                    before = behind.tenk.process
                    behind.start_tenk()
                    self.assertEqual(before.wait(20), 0)
                    asked = len(codes) + 4
                    while len(codes) < asked and not any(one.done() for one in asking):
                        time.sleep(0.01)
            finally:
                over.set()
            for one in asking:
                one.result()                 # raises what curl says
        self.assertEqual(set(codes), {"200"})


if __name__ == "__main__":
    unittest.main()
