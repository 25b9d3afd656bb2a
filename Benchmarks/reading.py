"""Measures reading over HTTP in one or more ems binaries, by turns, beside a bare route of the framework that answers with as many bytes.

Usage: reading.py --bare BARE EMS [EMS…] [--rounds N] [--seconds S] [--events N] [--connections N] [--mongodb URL --rabbitmq URL]

"again" asks for the same each time; "each new" for another URL each time, so that nothing that was kept can be given again. The load comes
from wrk (Debian's package of that name), one thread of it on the same cores. Needs Python 3.9 or newer.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

from daemon import Store, machine

EVENT = {
    "description": "A description of usual length. " * 4, "location": "Vienna", "start_time": "2040-03-01T09:00:00Z",
    "end_time": "2040-03-01T17:00:00Z", "tags": ["conference", "technology"],
}
# A parameter that begins with _ is ignored, and makes another URL.
EACH_NEW = """
local count = math.random(1, 1000000000)
request = function()
    count = count + 1
    return wrk.format(nil, wrk.path .. (string.find(wrk.path, "?", 1, true) and "&" or "?") .. "_=" .. count)
end
"""


class Load:
    def __init__(self, seconds, connections, scratch):
        self.seconds, self.connections = seconds, connections
        self.script = f"{scratch}/each-new.lua"
        with open(self.script, "w") as file:
            file.write(EACH_NEW)

    def rate(self, port, path, token=None, each_new=False):
        """Requests answered a second, all of them well."""
        command = ["wrk", "-t1", f"-c{self.connections}", f"-d{self.seconds}s"]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        if each_new:
            command += ["-s", self.script]
        output = subprocess.run(command + [f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in output and "Socket errors" not in output, output
        return float(re.search(r"Requests/sec:\s*([\d.]+)", output).group(1))


@contextlib.contextmanager
def bare(program, length):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([program, str(port), str(length)], stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(ConnectionError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.01)
        yield port
    finally:
        process.terminate()
        process.wait()


def read(port, path, token):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def measure(ems, program, place, load, arguments):
    store = Store(ems, place)
    if arguments.mongodb:
        name = f"ems-bench-{os.getpid()}-{time.time_ns()}"
        store.environment.update(
            MONGODB_URL=arguments.mongodb, RABBITMQ_URL=arguments.rabbitmq, DB_NAME=name, EXCHANGE_NAME=name, QUEUE_NAME=name,
            SECRET_KEY="k" * 32)
        store.run("user", "create", "ada", "--email", "ada@example.com", "--role", "admin", "--password-stdin", text="Example123!\n")
    lines = "".join(json.dumps({**EVENT, "title": f"Event {number}"}) + "\n" for number in range(arguments.events))
    store.run("event", "import", "-", text=lines)
    token = store.token()
    rates = {}
    with store.serving() as (_, port):
        page = json.loads(read(port, "/events?page_size=10", token))
        # All inboxes are full before anything is measured.
        while json.loads(read(port, "/notifications/count", token))["count"] < arguments.events:
            time.sleep(0.2)
        paths = {
            "an event": f"/events/{page['events'][0]['event_id']}", "a page of 10 events": "/events?page_size=10",
            "a page of a tag": "/events?tag=technology", "a page of notifications": "/notifications", "a search": "/events/search?q=event+123",
        }
        for name, path in paths.items():
            length = len(read(port, path, token))
            with bare(program, length) as other:
                load.rate(other, "/")
                limit = load.rate(other, "/")
            rates[f"bare route of {length:,} bytes"] = (limit, limit)
            for each_new in (False, True):
                # The query of an event is not kept: with one, it is read each time.
                rates[f"{name}, {'each new' if each_new else 'again'}"] = (load.rate(port, path, token, each_new), limit)
    return rates


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ems", nargs="+", help="the binaries")
    parser.add_argument("--bare", required=True, help="the program with the bare route")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--mongodb", help="measure on MongoDB at this URL")
    parser.add_argument("--rabbitmq", help="the broker for that")
    parser.add_argument("--place", default=None, help="where the stores are: a directory on a disk")
    arguments = parser.parse_args()
    assert shutil.which("wrk"), "wrk is not installed: apt-get install wrk"
    print(machine())
    print(
        f"{'MongoDB' if arguments.mongodb else 'SQLite'}, {arguments.events:,} events, {arguments.connections} connections for "
        f"{arguments.seconds} s each; {arguments.rounds} rounds of each binary by turns; requests a second\n")
    results = {ems: [] for ems in arguments.ems}
    with tempfile.TemporaryDirectory() as scratch:
        load = Load(arguments.seconds, arguments.connections, scratch)
        for _ in range(arguments.rounds):
            for ems in arguments.ems:
                with tempfile.TemporaryDirectory(prefix="ems-bench-", dir=arguments.place) as place:
                    results[ems].append(measure(os.path.abspath(ems), arguments.bare, place, load, arguments))
    for ems, rounds in results.items():
        print(ems)
        for name in rounds[0]:
            found = [one[name] for one in rounds if name in one]
            values = [value for value, _ in found]
            ratio = statistics.median(value / limit for value, limit in found)
            print(
                f"  {name:<36} median {statistics.median(values):10,.0f}   lowest {min(values):10,.0f}   highest {max(values):10,.0f}   "
                f"n {len(values)}   of the bare route {ratio:5.2f}")


main()
