"""Measures what a notification of very many recipients costs everybody else. Usage: audience.py EMS [EMS…] [--crowds N,N…] [--rounds N].

For each binary, audience and round, on a new embedded store: events are created over HTTP at a steady pace, first by themselves, then while
an update of an event with so many subscribers is delivered. Shown are the latency of the writes, the way from a write to a WebSocket that is
not a subscriber, the daemon's memory before and at its highest, and how long it takes until every inbox has the update. The users and their
subscriptions are written into the file directly. Needs nothing but Python 3.9 or newer and a Linux /proc; the stores are below --place.
"""

import argparse
import base64
import json
import os
import socket
import sqlite3
import statistics
import struct
import tempfile
import threading
import time

from daemon import Store, machine

PACE = 0.02
EVENT = {"title": "Event", "start_time": "2040-03-01T09:00:00Z", "end_time": "2040-03-01T17:00:00Z"}


def quantile(values, fraction):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


class Connection:
    """One HTTP connection that is kept."""

    def __init__(self, port, token):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.token = token

    def ask(self, method, path, body):
        data = json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + data)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(65536)
        head, rest = answer.split(b"\r\n\r\n", 1)
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        while len(rest) < length:
            rest += self.socket.recv(65536)
        assert b" 20" in head.split(b"\r\n", 1)[0], head
        return json.loads(rest)


class Listener(threading.Thread):
    """A WebSocket that notes when it hears of which event."""

    def __init__(self, port, token):
        super().__init__(daemon=True)
        self.socket = socket.create_connection(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /ws?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        self.heard = {}
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.socket.recv(65536)
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        assert b" 101 " in head, head

    def take(self, count):
        while len(self.rest) < count:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError
            self.rest += data
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def run(self):
        try:
            while True:
                first, length = self.take(2)
                if length == 126:
                    (length,) = struct.unpack(">H", self.take(2))
                elif length == 127:
                    (length,) = struct.unpack(">Q", self.take(8))
                text = self.take(length)
                if first & 15 == 1:
                    message = json.loads(text)
                    if message.get("event"):
                        self.heard[message["event"]["id"], message["notification_type"]] = time.perf_counter()
        except (ConnectionError, OSError):
            pass


def fill(path, event, crowd):
    store = sqlite3.connect(path, timeout=60)
    numbers = f"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {crowd})"
    with store:
        store.execute(f"CREATE TEMP TABLE crowd AS {numbers} SELECT printf('%032x', i) AS id, 'user' || i AS name FROM n")
        store.execute(
            "INSERT INTO users (id, username, username_key, email, email_key, role, is_active, password_hash, created_at, updated_at) "
            "SELECT id, name, name, name || '@example.com', name || '@example.com', 'user', 1, '', 0, 0 FROM crowd")
        store.execute("INSERT INTO inboxes SELECT crowd.id, last_position, everyone_count, last_position, everyone_count, 0, 0 FROM crowd, stream")
        store.execute("INSERT INTO subscriptions (user_id, event_id, created_at) SELECT id, ?, 0 FROM crowd", [event])
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024


def measure(ems, place, crowd):
    made = Store(ems, place)
    token = made.token()
    event = made.run("event", "create", "--json", json.dumps(EVENT), "-o", "id").strip()
    path = made.path
    fill(path, event, crowd)
    with made.serving() as (daemon, port):
        listener = Listener(port, token)
        listener.start()
        writer = Connection(port, token)
        editor = Connection(port, made.token())
        store = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)
        highest = resident(daemon.pid)

        def entries():
            return store.execute("SELECT count(*) FROM inbox_entries").fetchone()[0]

        def create(until):
            writes, sent = [], {}
            nonlocal highest
            while not until():
                start = time.perf_counter()
                created = writer.ask("POST", "/events", EVENT)
                writes.append(time.perf_counter() - start)
                sent[created["event_id"]] = start
                highest = max(highest, resident(daemon.pid))
                time.sleep(max(0, PACE - (time.perf_counter() - start)))
            time.sleep(1)
            ways = [listener.heard[identifier, "event.created"] - start for identifier, start in sent.items()]
            return [1000 * one for one in writes], [1000 * one for one in ways]

        warm = time.perf_counter() + 2
        create(lambda: time.perf_counter() > warm)
        quiet = time.perf_counter() + 5
        usual = create(lambda: time.perf_counter() > quiet)
        before = highest
        start = time.perf_counter()
        done = []

        def update():
            editor.ask("PATCH", f"/events/{event}", {"title": "Changed"})
            looking = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)
            while not done:
                time.sleep(0.25)
                # The last of the crowd is the last to get it.
                if looking.execute("SELECT 1 FROM inbox_entries WHERE user_id = ?", [f"{crowd:032x}"]).fetchone():
                    done.append(time.perf_counter() - start)

        thread = threading.Thread(target=update, daemon=True)
        thread.start()
        least = start + 5
        busy = create(lambda: bool(done) and time.perf_counter() > least)
        thread.join()
        assert entries() >= crowd, "an inbox lacks it"
        return {"usual": usual, "busy": busy, "took": done[0], "before": before, "highest": highest}


def row(name, values, unit):
    print(f"  {name:<52} median {statistics.median(values):9.2f} {unit:<4} lowest {min(values):9.2f}   highest {max(values):9.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ems", nargs="+", help="the binaries")
    parser.add_argument("--crowds", default="1000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--place", default=None, help="where the stores are: a directory on a disk")
    arguments = parser.parse_args()
    print(machine())
    print(f"a write every {1000 * PACE:g} ms; {arguments.rounds} rounds by turns; each figure: of the rounds\n")
    for crowd in [int(text) for text in arguments.crowds.split(",")]:
        results = {ems: [] for ems in arguments.ems}
        for _ in range(arguments.rounds):
            for ems in arguments.ems:
                with tempfile.TemporaryDirectory(prefix="ems-bench-", dir=arguments.place) as place:
                    results[ems].append(measure(os.path.abspath(ems), place, crowd))
        for ems, rounds in results.items():
            print(f"{crowd:,} subscribers, {ems}")
            for kind, index in (("write", 0), ("write to WebSocket", 1)):
                for phase, words in (("usual", "by itself"), ("busy", "while the update is delivered")):
                    for label, fraction in (("p50", .5), ("p99", .99), ("longest", 1)):
                        row(f"{kind}, {words}, {label}", [quantile(one[phase][index], fraction) for one in rounds], "ms")
            row("until every inbox has it", [one["took"] for one in rounds], "s")
            row("memory before", [one["before"] for one in rounds], "MiB")
            row("memory at its highest", [one["highest"] for one in rounds], "MiB")
            print(flush=True)


main()
