"""Measures the way of a change in one or more ems binaries, by turns. Usage: changes.py EMS [EMS…] [--rounds N] [--seconds S] [--rows N].

For each binary and round, on a new embedded store: events created over HTTP by 16 clients, and the bytes written for each of them until all
are in the inboxes; then an import with notifications. Needs nothing but Python 3.9 or newer and a Linux /proc; the stores are below --place.
"""

import argparse
import json
import os
import socket
import statistics
import tempfile
import threading
import time

from daemon import Store, machine

CLIENTS = 16
EVENT = {
    "title": "Event", "description": "A description of usual length. " * 4, "location": "Vienna", "start_time": "2040-03-01T09:00:00Z",
    "end_time": "2040-03-01T17:00:00Z", "tags": ["conference", "technology"],
}


def show(name, values, unit):
    low, high = min(values), max(values)
    print(f"  {name:<44} median {statistics.median(values):10,.0f} {unit:<8} lowest {low:10,.0f}   highest {high:10,.0f}   n {len(values)}")


class Client(threading.Thread):
    """Creates events over one connection until stopping is set."""

    def __init__(self, port, token, stopping):
        super().__init__(daemon=True)
        body = json.dumps(EVENT).encode()
        self.request = (
            f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.stopping = stopping
        self.created = 0

    def run(self):
        while not self.stopping.is_set():
            self.socket.sendall(self.request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += self.socket.recv(65536)
            head, rest = answer.split(b"\r\n\r\n", 1)
            assert b" 201 " in head.split(b"\r\n", 1)[0], head
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            while len(rest) < length:
                rest += self.socket.recv(65536)
            self.created += 1


def written(pid):
    """The bytes that the process has caused to be written to the disk."""
    with open(f"/proc/{pid}/io") as io:
        return next(int(line.split()[1]) for line in io if line.startswith("write_bytes"))


def measure(ems, place, seconds, rows):
    store = Store(ems, place)
    token = store.token()
    with store.serving() as (daemon, port):
        stopping = threading.Event()
        clients = [Client(port, token, stopping) for _ in range(CLIENTS)]
        before, start = written(daemon.pid), time.perf_counter()
        for client in clients:
            client.start()
        time.sleep(seconds)
        stopping.set()
        for client in clients:
            client.join()
        took = time.perf_counter() - start
        created = sum(client.created for client in clients)
        while int(store.run("notify", "count", "--user", "ada", "-o", "id")) < created:
            time.sleep(0.05)
        settled = time.perf_counter() - start
        bytes_each = (written(daemon.pid) - before) / created
    lines = "".join(json.dumps({**EVENT, "title": f"Imported {number}"}) + "\n" for number in range(rows))
    start = time.perf_counter()
    store.run("event", "import", "-", text=lines)
    imported = rows / (time.perf_counter() - start)
    assert int(store.run("notify", "count", "--user", "ada", "-o", "id")) == created + rows, "a notification is missing"
    return {"created": created / took, "settled": created / settled, "bytes": bytes_each, "imported": imported}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ems", nargs="+", help="the binaries")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--place", default=None, help="where the stores are: a directory on a disk")
    arguments = parser.parse_args()
    print(machine())
    print(f"{CLIENTS} clients for {arguments.seconds:g} s, then {arguments.rows:,} rows; {arguments.rounds} rounds of each binary by turns\n")
    results = {ems: [] for ems in arguments.ems}
    for _ in range(arguments.rounds):
        for ems in arguments.ems:
            with tempfile.TemporaryDirectory(prefix="ems-bench-", dir=arguments.place) as place:
                results[ems].append(measure(os.path.abspath(ems), place, arguments.seconds, arguments.rows))
    for ems, rounds in results.items():
        print(ems)
        show("events created over HTTP", [one["created"] for one in rounds], "/s")
        show("events created and in the inboxes", [one["settled"] for one in rounds], "/s")
        show("bytes written for each", [one["bytes"] for one in rounds], "bytes")
        show("rows imported with notifications", [one["imported"] for one in rounds], "/s")


main()
