"""What the load of websockets and its floor promise: python3 tests/loadtest/websockets_test.py FOLDER, where both are."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../loadtest"))

from harness import openloop, processes  # noqa: E402

FOLDER = "build/loadtest"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
PING = b"\x89\x00"


@contextlib.contextmanager
def floor():
    port = processes.free_port()
    process = subprocess.Popen([f"{FOLDER}/sockets", str(port)])
    try:
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.01)
        yield port
    finally:
        processes.stop(process)


@contextlib.contextmanager
def scripted(head, said):
    """A server of one connection: answers the handshake with head, and each short masked frame of text with said(payload)."""

    def serve():
        with contextlib.suppress(OSError):
            connection = listener.accept()[0]
            with connection:
                connection.recv(65536)
                connection.sendall(head)
                got = b""
                while more := connection.recv(65536):
                    got += more
                    while len(got) >= 6 and len(got) >= 6 + (got[1] & 0x7f):
                        end = 6 + (got[1] & 0x7f)
                        payload = bytes(byte ^ got[2 + n % 4] for n, byte in enumerate(got[6:end]))
                        for piece in said(payload) if got[0] == 0x81 else ():
                            connection.sendall(piece)
                        got = got[end:]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@contextlib.contextmanager
def room():
    """What is said on any websocket is told, as an event in two pieces, on every stream."""
    streams, one_event = [], threading.Lock()

    def serve(connection):
        with contextlib.suppress(OSError), connection:
            if b"Upgrade" not in connection.recv(65536):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n")
                streams.append(connection)
                connection.recv(1)
                return
            connection.sendall(UPGRADED)
            while got := connection.recv(65536):
                said = bytes(byte ^ got[2 + n % 4] for n, byte in enumerate(got[6:6 + (got[1] & 0x7f)]))
                with one_event:                      # nobody's is in the middle of another's
                    for one in streams:
                        one.sendall(b"event: who\ndata: @0000000000000001~\n\nevent: said\ndata: a@b.example " + said[:8])
                        one.sendall(said[8:] + b"\n\n")

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def frame(payload):
    return bytes((0x81, len(payload))) + payload


def load(port, mode, path, sockets, seconds, *more):
    """What it printed at its end, of which the error, if any, is raised; and when it was ready, on its own clock."""
    command = [f"{FOLDER}/websockets", *map(str, (mode, port, path, sockets, seconds, *more))]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        try:
            ready, at = client.stdout.readline(), time.monotonic_ns() // 1000
            result, wrong = client.communicate("\n", timeout=60)
        finally:
            client.kill()
    if client.returncode:
        raise processes.Failure(wrong.strip())
    assert ready == f"ready {sockets}\n", ready
    return {**json.loads(result), "ready": at} if result else None


class Websockets(unittest.TestCase):
    def test_all_that_was_sent_comes_back(self):
        with floor() as port:
            for size in (1, 125, 126, 16000):
                with self.subTest(size):
                    result = load(port, "echo", "/ws/echo", 5, 0.2, 4, size)
                    self.assertGreaterEqual(result["messages"], 20)
                    self.assertEqual(result["messages"] % 4, 0)
                    self.assertEqual(openloop.Times([result]).total, result["messages"] / 4)

    def test_an_echo_may_come_in_any_pieces_and_with_pings_between(self):
        with scripted(UPGRADED, lambda payload: [bytes([byte]) for byte in frame(payload) + PING]) as port:
            self.assertGreater(load(port, "echo", "/ws/echo", 1, 0.1, 3, 10)["messages"], 0)

    def test_another_echo_ends_it(self):
        with scripted(UPGRADED, lambda payload: [frame(payload[:-1] + b"y")]) as port, \
                self.assertRaisesRegex(processes.Failure, "not what was sent: xxxxxxxxxy"):
            load(port, "echo", "/ws/echo", 1, 0.1, 3, 10)

    def test_so_does_another_answer_than_101(self):
        with scripted(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", None) as port, \
                self.assertRaisesRegex(processes.Failure, "/ws/echo was answered with HTTP/1.1 404"):
            load(port, "echo", "/ws/echo", 1, 0.1, 3, 10)

    def test_all_that_read_are_told_while_others_are_stopped(self):
        with floor() as port:
            result = load(port, "fanout", "/ws/chat/bench", 20, 30, 5, "% #" + "x" * 8000, "?speaks")      # until all is said
        self.assertGreater(result["messages"], 15)
        self.assertEqual(result["messages"] % 15, 0)
        self.assertEqual(openloop.Times([result]).total, result["messages"])

    def test_what_has_another_stamp_is_not_counted(self):
        others = [frame(b"@0000000000000001~"), frame(b"hello")]
        with scripted(UPGRADED, lambda payload: [*others, frame(b"<" + payload + b">")]) as port:
            result = load(port, "fanout", "/ws/chat/bench", 1, 0.1, 0, "text #", "")
        self.assertEqual(openloop.Times([result]).total, result["messages"])
        self.assertGreater(result["messages"], 0)

    def test_who_is_not_told_yet_what_others_say_is_waited_for(self):
        heard = []

        def said(payload):
            heard.append(payload)
            return [frame(payload)] if len(heard) > 1 else []

        with scripted(UPGRADED, said) as port:
            result = load(port, "fanout", "/ws/chat/bench", 1, 0.1, 0, "text #", "")
        self.assertGreater(result["messages"], 0)
        said_since = [payload for payload in heard if int(payload.split(b"@")[1][:16], 16) >= result["ready"]]
        self.assertEqual(result["messages"], len(said_since))
        self.assertEqual(openloop.Times([result]).total, result["messages"])

    def test_nobody_says_more_than_may_be_said_at_once(self):
        heard = []

        def said(payload):
            heard.append(payload)
            return [frame(payload)]

        with scripted(UPGRADED, said) as port:
            result = load(port, "fanout", "/ws/chat/bench", 1, 30, 0, "text #", "")
        self.assertEqual(len(heard), 20)
        self.assertLess(result["microseconds"], 20e6)

    def test_streams_are_told_what_others_say(self):
        with room() as port:
            result = load(port, "events", "/events/chat/bench", 12, 0.3, 2, "text #", "/ws/chat/bench")
        self.assertGreater(result["messages"], 0)
        self.assertEqual(result["messages"] % 10, 0)
        self.assertEqual(openloop.Times([result]).total, result["messages"])

    def test_websockets_and_streams_are_held(self):
        with floor() as port:
            for mode, path in (("idle", "/ws/echo"), ("stream", "/events/x")):
                self.assertIsNone(load(port, mode, path, 30, 0))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        FOLDER = sys.argv.pop()
    unittest.main()
