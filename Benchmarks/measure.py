"""Measures an ems binary. Usage: measure.py PATH/TO/ems [--runs N]. Needs nothing but Python 3.9 or newer and a Linux /proc."""

import argparse
import base64
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request


def milliseconds(command, environment, runs):
    """Times whole processes, from spawn to exit."""
    times = []
    for number in range(runs + 3):
        start = time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        if number >= 3:  # the first warm the caches
            times.append((time.perf_counter() - start) * 1000)
    return times


def quantile(values, fraction):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def show(name, values, unit="ms"):
    print(
        f"{name:<44} median {statistics.median(values):8.2f} {unit}   "
        f"p5 {quantile(values, .05):8.2f}   p95 {quantile(values, .95):8.2f}   n {len(values)}"
    )


def start_daemon(ems, environment, log):
    """Starts a daemon. Returns the process, its port, and the milliseconds to the first 200."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = time.perf_counter()
    process = subprocess.Popen([ems, "serve", "--port", str(port)], env=environment, stderr=log)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b" 200 " in connection.recv(64):
                    return process, port, (time.perf_counter() - start) * 1000
        except ConnectionError:
            time.sleep(0.0005)


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait()


def memory(pid):
    """Resident kilobytes by kind."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    kinds = {name: int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon", "RssFile")}
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith("Pss:"):
                kinds["Pss"] = int(line.split()[1])
    return kinds


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Listener(threading.Thread):
    """A WebSocket client that notes when each notification came."""

    def __init__(self, port, token):
        super().__init__(daemon=True)
        self.arrivals = {}
        self.connected = threading.Event()
        self.socket = socket.create_connection(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        assert b" 101 " in self.file.readline()
        while self.file.readline() != b"\r\n":
            pass
        self.start()

    def run(self):
        while head := self.file.read(2):
            length = head[1] & 127
            if length == 126:
                length = struct.unpack(">H", self.file.read(2))[0]
            payload = self.file.read(length)
            now = time.perf_counter()
            if head[0] & 15 == 1:
                message = json.loads(payload)
                if message["type"] == "notification":
                    self.arrivals[message["event"]["title"]] = now
                elif message["type"] == "connection_status":
                    self.connected.set()


def measure(ems, runs, place):
    environment = {**os.environ, "EMS_DATA_DIR": f"{place}/data", "BCRYPT_SALT_ROUNDS": "4", "RATE_LIMIT_ENABLED": "false"}

    def run(*arguments, text=None):
        return subprocess.run([ems, *arguments], env=environment, input=text, capture_output=True, text=True, check=True).stdout

    events = "".join(
        json.dumps(
            {
                "title": f"Event {number}", "description": "A description of usual length. " * 4, "location": "Vienna",
                "start_time": f"2030-{number % 12 + 1:02d}-01T09:00:00Z", "end_time": f"2030-{number % 12 + 1:02d}-01T17:00:00Z",
                "tags": ["conference", "technology"],
            }
        )
        + "\n"
        for number in range(1000)
    )
    run("event", "import", "-", text=events)
    run("user", "create", "ada", "--email", "ada@example.com", "--password-stdin", text="Example123!\n")

    print("Start-up: whole processes, spawn to exit")
    show("/bin/true", milliseconds(["/bin/true"], environment, runs))
    show("python3 -c pass", milliseconds([shutil.which("python3"), "-c", "pass"], environment, runs))
    show("ems --version", milliseconds([ems, "--version"], environment, runs))
    show("ems event list -o json (100 of 1,000)", milliseconds([ems, "event", "list", "-o", "json"], environment, runs))
    show("ems event list -o json --all (1,000)", milliseconds([ems, "event", "list", "-o", "json", "--all"], environment, runs))

    print("\nIdle daemon, on the store with 1,000 events")
    with open(f"{place}/daemon.log", "w") as log:
        starts = []
        for _ in range(10):
            process, port, took = start_daemon(ems, environment, log)
            starts.append(took)
            stop(process)
        show("start to the first 200", starts)
        process, port, _ = start_daemon(ems, environment, log)
        try:
            time.sleep(3)
            used = cpu_seconds(process.pid)
            time.sleep(5)
            kinds = memory(process.pid)
            print(
                f"{'memory after 8 s idle':<44} resident {kinds['VmRSS'] / 1024:.1f} MB: private {kinds['RssAnon'] / 1024:.1f} MB, "
                f"mapped files {kinds['RssFile'] / 1024:.1f} MB; proportional {kinds['Pss'] / 1024:.1f} MB"
            )
            print(f"{'processor while idle':<44} {(cpu_seconds(process.pid) - used) / 5 * 100:.2f} % of one core")

            print("\nFrom a shell to a WebSocket: ems event create in one process, the frame from a daemon in another")
            token = run("token", "issue", "--user", "ada").strip()
            listener = Listener(port, token)
            assert listener.connected.wait(10)
            begun, ended = {}, {}
            for number in range(runs * 2):
                title = f"Benchmark {number}"
                begun[title] = time.perf_counter()
                run("event", "create", "--title", title, "--start", "2030-01-01", "--end", "2030-01-02", "-o", "id")
                ended[title] = time.perf_counter()
            deadline = time.monotonic() + 10
            while len(listener.arrivals) < len(begun) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert set(listener.arrivals) == set(begun), "a notification is missing"
            show("start of the command to the frame", [(listener.arrivals[title] - begun[title]) * 1000 for title in begun])
            show("the command itself", [(ended[title] - begun[title]) * 1000 for title in begun])

            print("\nOver HTTP, one connection, on the same daemon")
            body = json.dumps({"title": "x", "start_time": "2030-01-01T00:00:00Z", "end_time": "2030-01-02T00:00:00Z"}).encode()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            for name, method, path, data in (
                ("GET /events (10 of 1,000)", "GET", "/events", None), ("POST /events", "POST", "/events", body),
            ):
                times = []
                for _ in range(runs * 2):
                    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
                    start = time.perf_counter()
                    urllib.request.urlopen(request).read()
                    times.append((time.perf_counter() - start) * 1000)
                show(name, times)
        finally:
            stop(process)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ems", help="the binary")
    parser.add_argument("--runs", type=int, default=50, help="how often each command runs (default 50)")
    arguments = parser.parse_args()
    processor = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    version = subprocess.run([arguments.ems, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}, {os.path.getsize(arguments.ems) / 1e6:.0f} MB, on {os.cpu_count()} cores of {processor}, Linux {platform.release()}")
    print(f"load before the run: {os.getloadavg()[0]:.2f}\n")
    with tempfile.TemporaryDirectory(prefix="ems-bench-") as place:
        measure(os.path.abspath(arguments.ems), arguments.runs, place)


main()
