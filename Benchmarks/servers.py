"""Measures the MongoDB stores and the RabbitMQ broker beside plain C, and the way of a change through a daemon.

Run it by Benchmarks/servers, which builds the C programs and starts the servers. Needs nothing but Python 3.9 or newer and a Linux /proc.
"""

import argparse
import os
import platform
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PARTS = ("mongodb", "rabbitmq", "changes", "memory")
STORE_AIM = 0.8
BROKER_AIM = 0.9
WINDOW = 256
EVENTS = 100_000
MEMORY_CHANGES = 1_000_000
MEMORY_SETTLED = 200_000


class Failure(Exception):
    pass


class Bench:
    def __init__(self, release, plain, place):
        self.ours = os.path.join(os.path.abspath(release), "ServerBenchmark")
        self.ems = os.path.join(os.path.abspath(release), "ems")
        self.mongo = os.path.join(os.path.abspath(plain), "mongo")
        self.rabbit = os.path.join(os.path.abspath(plain), "rabbit")
        self.place = place
        try:
            self.mongodb = os.environ["EMS_TEST_MONGODB_URL"]
            self.rabbitmq = os.environ["EMS_TEST_RABBITMQ_URL"]
        except KeyError as missing:
            raise Failure(f"{missing.args[0]} is not set; run Benchmarks/servers") from None
        self.name = f"ems_bench_{secrets.token_hex(4)}"
        self.running = []
        self.databases = []
        self.queues = []

    # Processes

    def start(self, *command, **options):
        # The kernel ends it with this process, even where that is killed.
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], **options)
        self.running.append(process)
        return process

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.remove(process)

    def lines(self, *command):
        """The lines a program prints, as they come."""
        process = self.start(*command, stdout=subprocess.PIPE, text=True)
        try:
            for line in process.stdout:
                yield line.strip()
            if process.wait() != 0:
                shown = " ".join(str(part) for part in command if "://" not in str(part))
                raise Failure(f"{shown}: status {process.returncode}")
        finally:
            self.stop(process)

    def run(self, *command):
        return list(self.lines(*command))

    # What is made at the servers, and removed at the end

    def database(self, suffix, events):
        name = f"{self.name}_{suffix}"
        self.databases.append(name)
        self.run(self.ours, "prepare", self.mongodb, name, events)
        return name

    def drop(self, name):
        self.run(self.mongo, self.mongodb, name, "drop")
        self.databases.remove(name)

    def topology(self, suffix):
        exchange, queue = f"{self.name}.{suffix}", f"{self.name}.{suffix}.queue"
        self.run(self.rabbit, self.rabbitmq, exchange, queue, WINDOW, 0)
        self.queues.append((exchange, queue))
        return exchange, queue

    def clean_up(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for process in list(self.running):
            self.stop(process)
        for name in list(self.databases):
            self.attempt(self.mongo, self.mongodb, name, "drop")
        for exchange, queue in self.queues:
            self.attempt(self.rabbit, self.rabbitmq, exchange, queue, "delete")

    def attempt(self, *command):
        try:
            self.run(*command)
        except Failure as failure:
            print(f"servers: {failure}", file=sys.stderr)


# Figures


def quantile(values, fraction):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def show(name, values):
    print(
        f"{name:<32} median {statistics.median(values):10,.0f} /s   "
        f"p5 {quantile(values, .05):10,.0f}   p95 {quantile(values, .95):10,.0f}   n {len(values)}"
    )


def operations(lines, seconds):
    values = [float(line.split()[1]) for line in lines if line.startswith("ops ")]
    if len(values) < seconds:
        raise Failure(f"{len(values)} figures came for {seconds} seconds")
    return values


def compare(name, ours, plain, rounds, seconds, aim, before=lambda: None):
    """Runs both in turns, each round beginning with the other, and shows both."""
    figures = {"ours": [], "plain C": []}
    runs = [("ours", ours), ("plain C", plain)]
    for number in range(rounds):
        for kind, run in runs if number % 2 == 0 else reversed(runs):
            before()
            figures[kind] += operations(run(), seconds)
    for kind, values in figures.items():
        show(f"{name}: {kind}", values)
    denominator = statistics.median(figures["plain C"])
    if denominator <= 0:
        raise Failure(f"{name}: plain C finished nothing in most seconds; give it more")
    ratio = statistics.median(figures["ours"]) / denominator
    print(f"{'':<32} ratio {ratio:11.2f}      aim {aim}: {'reached' if ratio >= aim else 'missed'}", flush=True)


# The parts


def measure_mongodb(bench, rounds, seconds):
    print(f"\nMongoDB: a collection of {EVENTS:,} events and its indexes; operations a second (bulk: events a second)")
    filled = None
    for operation in ("read", "page", "insert", "bulk"):
        for callers in (1, 16):
            # What writes has a collection of its own: else each would be slower than the one before it.
            writes = operation in ("insert", "bulk")
            if writes or filled is None:
                if filled:
                    bench.drop(filled)
                filled = bench.database(f"{operation}_{callers}", EVENTS)
            arguments = (bench.mongodb, filled, operation, callers, seconds)
            compare(
                f"{operation}, {callers} caller{'' if callers == 1 else 's'}",
                lambda: bench.run(bench.ours, "mongo", *arguments), lambda: bench.run(bench.mongo, *arguments), rounds, seconds, STORE_AIM,
            )
    bench.drop(filled)


def measure_rabbitmq(bench, rounds, seconds):
    print(f"\nRabbitMQ: persistent messages to a quorum queue, confirmed, {WINDOW} on their way; messages a second")
    exchange, queue = bench.topology("publish")
    arguments = (bench.rabbitmq, exchange, queue, WINDOW, seconds)
    compare(
        "publish", lambda: bench.run(bench.ours, "rabbit", *arguments), lambda: bench.run(bench.rabbit, *arguments),
        rounds, seconds, BROKER_AIM, before=lambda: bench.run(bench.rabbit, bench.rabbitmq, exchange, queue, WINDOW, 0),
    )
    bench.run(bench.rabbit, bench.rabbitmq, exchange, queue, WINDOW, 0)


def start_daemon(bench, database, exchange, queue):
    home = tempfile.mkdtemp(prefix="home-", dir=bench.place)
    environment = {
        "PATH": os.environ["PATH"], "HOME": home, "MONGODB_URL": bench.mongodb, "RABBITMQ_URL": bench.rabbitmq, "DB_NAME": database,
        "EXCHANGE_NAME": exchange, "QUEUE_NAME": queue, "SECRET_KEY": os.environ["SECRET_KEY"],
    }
    path = os.path.join(home, "daemon.log")
    with open(path, "w") as log:
        daemon = bench.start(bench.ems, "serve", "--port", "0", env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while True:
        with open(path) as log:
            said = log.read()
        if "ems: serving " in said:
            return daemon
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"the daemon does not serve: {said[-2000:]}")
        time.sleep(0.01)


def with_daemon(bench, suffix, body):
    """Runs `body` with a daemon and the arguments `changes` takes, on an empty database and queue."""
    database = bench.database(suffix, 0)
    exchange, queue = bench.topology(suffix)
    daemon = start_daemon(bench, database, exchange, queue)
    try:
        body(daemon, (bench.ours, "changes", bench.mongodb, database, bench.rabbitmq, exchange, queue))
        if daemon.poll() is not None:
            raise Failure(f"the daemon ended with status {daemon.returncode}")
    finally:
        bench.stop(daemon)
    bench.drop(database)


def show_changes(name, lines):
    found = {words[0]: words[1:] for words in map(str.split, lines) if words}
    if "rate" not in found:
        raise Failure("ServerBenchmark changes printed no rate")
    latency = "   latency median {} ms   p95 {} ms   p99 {} ms".format(*found["latency_ms"]) if "latency_ms" in found else ""
    print(f"{name:<44} {float(found['rate'][0]):8,.0f} /s{latency}", flush=True)


def measure_changes(bench, count, rate):
    print("\nA change through a daemon: from publishing until it is recorded as a notification")
    with_daemon(
        bench, "changes",
        lambda daemon, command: (
            show_changes(f"{count:,} as fast as they go", bench.run(*command, count, 0)),
            show_changes(f"{10 * rate:,} at {rate:,} a second", bench.run(*command, 10 * rate, rate)),
        ),
    )


def memory(pid):
    """Resident megabytes: all, and what belongs to the process alone."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))


def slope(points):
    """The rise a unit of the line that fits best (least squares)."""
    middle, level = (statistics.mean(values) for values in zip(*points))
    return sum((x - middle) * (y - level) for x, y in points) / sum((x - middle) ** 2 for x, _ in points)


def measure_memory(bench, count):
    print(f"\nThe daemon's memory while {count:,} changes pass")
    samples = []

    def take(done, pid):
        resident, private = memory(pid)
        samples.append((done, resident, private))
        print(f"{done:>12,} changes   resident {resident:7.1f} MB   private {private:7.1f} MB", flush=True)

    def run(daemon, command):
        take(0, daemon.pid)
        lines = []
        for line in bench.lines(*command, count, 0):
            lines.append(line)
            if line.startswith("done "):
                take(int(line.split()[1]), daemon.pid)
        take(count, daemon.pid)
        show_changes(f"{count:,} as fast as they go", lines)

    with_daemon(bench, "memory", run)
    for name, column in (("resident", 1), ("private", 2)):
        points = [(sample[0], sample[column]) for sample in samples if sample[0] >= MEMORY_SETTLED]
        if len({done for done, _ in points}) < 3:
            print(f"{name}: too few samples after {MEMORY_SETTLED:,} changes")
            continue
        # A line through all the samples, so that no single one decides.
        rise, level = slope(points) * (points[-1][0] - points[0][0]), statistics.mean(value for _, value in points)
        verdict = "flat" if abs(rise) <= 0.05 * level else "rising" if rise > 0 else "falling"
        print(
            f"{name} after {MEMORY_SETTLED:,} changes: {verdict}; mean {level:.1f} MB, the fitted line moves {rise:+.1f} MB "
            f"(flat: within 5 % of the mean)"
        )


def positive(text):
    if (value := int(text)) < 1:
        raise ValueError
    return value


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/servers", description=__doc__.split("\n", 1)[0])
    if "--help" not in sys.argv and "-h" not in sys.argv:
        parser.add_argument("release", help="the folder of ems and ServerBenchmark")
        parser.add_argument("plain", help="the folder of the C programs")
    parser.add_argument("--rounds", type=positive, default=3, help="how often both run, in turns (default 3)")
    parser.add_argument("--seconds", type=positive, default=5, help="how long each runs, after one second to warm up (default 5)")
    parser.add_argument("--changes", type=positive, default=50_000, help="how many pass the daemon as fast as they go (default 50000)")
    parser.add_argument("--rate", type=positive, default=500, help="and for ten seconds so many a second (default 500)")
    parser.add_argument("--memory", action="store_true", help=f"also watch the daemon's memory over {MEMORY_CHANGES:,} changes")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part alone; may be given several times")
    arguments = parser.parse_args()
    parts = arguments.only or [part for part in PARTS if part != "memory" or arguments.memory]

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda number, frame: sys.exit(129))
    load = os.getloadavg()[0]
    processor = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    with tempfile.TemporaryDirectory(prefix="ems-bench-") as place:
        bench = Bench(arguments.release, arguments.plain, place)
        try:
            version = bench.run(bench.ems, "--version")[0]
            print(f"{version}, on {os.cpu_count()} cores of {processor}, Linux {platform.release()}")
            print("; ".join(bench.run(bench.mongo, bench.mongodb, "admin", "version") + bench.run(bench.rabbit, bench.rabbitmq, "version")))
            print(f"load before the run: {load:.2f}", flush=True)
            if "mongodb" in parts:
                measure_mongodb(bench, arguments.rounds, arguments.seconds)
            if "rabbitmq" in parts:
                measure_rabbitmq(bench, arguments.rounds, arguments.seconds)
            if "changes" in parts:
                measure_changes(bench, arguments.changes, arguments.rate)
            if "memory" in parts:
                measure_memory(bench, MEMORY_CHANGES)
        finally:
            bench.clean_up()


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"servers: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
