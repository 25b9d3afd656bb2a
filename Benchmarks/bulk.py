"""Measures `ems event import` and `ems event export` beside the sqlite3 shell, and beside plain C on MongoDB.

Run it by Benchmarks/bulk, which builds the C programs and starts the servers. Needs nothing but Python 3.9 or newer and a Linux /proc.
"""

import argparse
import json
import os
import platform
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PARTS = ("sqlite", "mongodb")
SQLITE_AIM = 0.5
MONGODB_AIM = 0.8
MEMORY_AIM = 100

# As ems sets them for an import: see SQLiteDatabase.
PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -10240;
PRAGMA wal_autocheckpoint = 131072;
"""
COLUMNS = {
    "id": "TEXT", "title": "TEXT", "description": "TEXT", "location": "TEXT", "tags": "TEXT", "start_time": "INTEGER",
    "end_time": "INTEGER", "created_by": "TEXT", "max_attendees": "INTEGER", "status": "TEXT", "attachment_url": "TEXT",
    "latitude": "REAL", "longitude": "REAL", "created_at": "INTEGER", "updated_at": "INTEGER", "version": "INTEGER", "origin": "TEXT",
}
OPTIONAL = ("max_attendees", "attachment_url", "latitude", "longitude", "origin")
NAMES = ", ".join(COLUMNS)

BARE_IMPORT = f"""{PRAGMAS}
CREATE TABLE events ({", ".join(" ".join(column) for column in COLUMNS.items())});
.import --csv events.csv events
"""

# One statement for all rows: the full-text index keeps its new words in memory for as long as a statement runs. Where a trigger of a view
# inserts row by row, it writes them for each row, which takes several times as long.
STORE_IMPORT = f"""{PRAGMAS}
CREATE TEMP TABLE incoming ({NAMES});
.import --csv --schema temp events.csv incoming
BEGIN;
INSERT INTO events ({NAMES})
    SELECT {", ".join(f"nullif({name}, '')" if name in OPTIONAL else name for name in COLUMNS)} FROM incoming;
INSERT INTO event_tags (tag, start_time, event_id, created_at)
    SELECT t.value, i.start_time, i.id, i.created_at FROM incoming i, json_each('["' || replace(i.tags, ',', '","') || '"]') t;
COMMIT;
"""

EXPORT = f"SELECT {NAMES} FROM events ORDER BY created_at, id"


class Failure(Exception):
    pass


class Bench:
    def __init__(self, release, plain, place, rows, rounds):
        self.ems = os.path.join(os.path.abspath(release), "ems")
        self.bulk, self.mongo, self.rabbit = (os.path.join(os.path.abspath(plain), name) for name in ("bulk", "mongo", "rabbit"))
        self.place = place
        self.rows = rows
        self.rounds = rounds
        self.environment = {"PATH": os.environ["PATH"], "HOME": place}
        self.name = f"ems_bench_{secrets.token_hex(4)}"
        self.count = 0
        self.running = []
        self.databases = {}

    # Processes

    def start(self, *command, **options):
        # The kernel ends it with this process, even where that is killed.
        options = {"cwd": self.place, "env": self.environment, "stdin": subprocess.DEVNULL, **options}
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

    def finish(self, process, command):
        """Waits for the end. Returns the megabytes that the process had at most."""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            shown = " ".join(str(part) for part in command if "://" not in str(part))
            raise Failure(f"{shown}: status {process.returncode}")
        return usage.ru_maxrss / 1024

    def run(self, *command, **options):
        """What a program prints."""
        process = self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        try:
            printed = process.stdout.read().strip()
            try:
                self.finish(process, command)
            except Failure as failure:
                raise Failure(f"{failure}: {printed}") from None
            return printed
        finally:
            self.stop(process)

    def time(self, *command, **options):
        """Runs a whole process. Returns the rows a second, from spawn to exit, and the megabytes it had at most."""
        start = time.perf_counter()
        process = self.start(*command, **{"stdout": subprocess.DEVNULL, **options})
        try:
            peak = self.finish(process, command)
            return self.rows / (time.perf_counter() - start), peak
        finally:
            self.stop(process)

    def lines(self, *command, **options):
        """How many lines a program prints."""
        process = self.start(*command, stdout=subprocess.PIPE, **options)
        try:
            count = 0
            while piece := process.stdout.read(1 << 20):
                count += piece.count(b"\n")
            self.finish(process, command)
            return count
        finally:
            self.stop(process)

    def generate(self, form):
        path = os.path.join(self.place, f"events.{form}")
        with open(path, "wb") as file:
            self.time(self.bulk, form, self.rows, stdout=file)
        return os.path.getsize(path)

    def time_import(self, *arguments, **options):
        """`ems event import`, which must bring in every row."""
        path = os.path.join(self.place, "summary.json")
        with open(path, "w+") as file:
            figures = self.time(
                self.ems, "event", "import", "events.jsonl", "--quiet", "--json-summary", *arguments, stdout=file, **options)
            file.seek(0)
            summary = json.load(file)
        if summary["created"] != self.rows:
            raise Failure(f"ems event import created {summary['created']:,} of {self.rows:,} events")
        return figures

    # What is made at the servers, and removed at the end

    def database(self):
        """A new database with its indexes. Returns its name and the environment for `ems`."""
        self.count += 1
        name = f"{self.name}_{self.count}"
        environment = {
            **self.environment, "MONGODB_URL": self.mongodb, "RABBITMQ_URL": self.rabbitmq, "DB_NAME": name,
            "EXCHANGE_NAME": f"{name}.changes", "QUEUE_NAME": f"{name}.queue", "SECRET_KEY": secrets.token_hex(32),
        }
        self.databases[name] = environment
        self.run(self.ems, "store", "migrate", env=environment)
        return name, environment

    def drop(self, name):
        environment = self.databases[name]
        self.run(self.mongo, self.mongodb, name, "drop")
        self.run(self.rabbit, self.rabbitmq, environment["EXCHANGE_NAME"], environment["QUEUE_NAME"], "delete")
        del self.databases[name]

    def use_servers(self):
        try:
            self.mongodb = os.environ["EMS_TEST_MONGODB_URL"]
            self.rabbitmq = os.environ["EMS_TEST_RABBITMQ_URL"]
        except KeyError as missing:
            raise Failure(f"{missing.args[0]} is not set; run Benchmarks/bulk") from None

    def clean_up(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for process in list(self.running):
            self.stop(process)
        for name in list(self.databases):
            try:
                self.drop(name)
            except Failure as failure:
                print(f"bulk: {failure}", file=sys.stderr)


# Figures


def take_turns(bench, runs):
    """Runs all in turns, each round the other way round. Returns the figures of each, and shows them."""
    figures = {name: [] for name in runs}
    for number in range(bench.rounds):
        for name in list(runs) if number % 2 == 0 else reversed(runs):
            figures[name].append(runs[name]())
    for name, values in figures.items():
        rates = [rate for rate, _ in values]
        print(
            f"{name:<44} median {statistics.median(rates):10,.0f} /s   least {min(rates):10,.0f}   most {max(rates):10,.0f}   "
            f"n {len(rates)}   memory {max(peak for _, peak in values):6.1f} MB",
            flush=True,
        )
    return figures


def verdict(is_reached):
    return "reached" if is_reached else "missed"


def compare(figures, ours, bar, aim=None):
    ratio = statistics.median(rate for rate, _ in figures[ours]) / statistics.median(rate for rate, _ in figures[bar])
    told = "" if aim is None else f"   aim {aim}: {verdict(ratio >= aim)}"
    print(f"  {ours} : {bar:<{80 - len(ours)}} {ratio:6.2f}{told}", flush=True)


def weigh(figures, *names):
    peak = max(peak for name in names for _, peak in figures[name])
    print(f"  {'memory of ems at most, in MB':<83} {peak:6.1f}   aim below {MEMORY_AIM}: {verdict(peak < MEMORY_AIM)}", flush=True)


# The parts

DEFAULT = "ems event import"
SILENT = "ems event import --no-notifications"
JSONL = "ems event export"
CSV = "ems event export --format csv"


def expect_rows(bench, name, count, header=0):
    if count != bench.rows + header:
        raise Failure(f"{name} wrote {count:,} lines for {bench.rows:,} events")


def measure_sqlite(bench):
    bench.generate("csv")
    kept = os.path.join(bench.place, "kept")

    def check(path, **expected):
        """The tables must have so many rows."""
        for table, count in expected.items():
            found = int(bench.run("sqlite3", path, f"SELECT count(*) FROM {table}"))
            if found != count:
                raise Failure(f"{table} has {found:,} rows, not {count:,}")

    def in_store(body, is_kept=False):
        store = os.path.join(bench.place, "store")
        bench.run(bench.ems, "store", "migrate", "--data-dir", store)
        figures = body(store)
        check(os.path.join(store, "ems.db"), events=bench.rows, event_tags=2 * bench.rows, event_places=(bench.rows + 1) // 2)
        if is_kept:
            shutil.rmtree(kept, ignore_errors=True)
            os.rename(store, kept)
        else:
            shutil.rmtree(store)
        return figures

    def shell(path, script):
        with tempfile.TemporaryFile("w+", dir=bench.place) as file:
            file.write(script)
            file.seek(0)
            return bench.time("sqlite3", "-bail", path, stdin=file)

    def bare():
        path = os.path.join(bench.place, "bare.db")
        figures = shell(path, BARE_IMPORT)
        check(path, events=bench.rows)
        os.remove(path)
        return figures

    print("\nSQLite: import into a new store; rows a second, and the most memory of all runs")
    print("sqlite3: the same PRAGMAs, one transaction; full: the store's tables, indexes and triggers; bare: a table without", flush=True)
    full_name, bare_name = "sqlite3 .import, full", "sqlite3 .import, bare"
    figures = take_turns(bench, {
        DEFAULT: lambda: in_store(lambda store: bench.time_import("--data-dir", store)),
        SILENT: lambda: in_store(lambda store: bench.time_import("--data-dir", store, "--no-notifications"), is_kept=True),
        full_name: lambda: in_store(lambda store: shell(os.path.join(store, "ems.db"), STORE_IMPORT)),
        bare_name: bare,
    })
    for ours in (DEFAULT, SILENT):
        for bar in (full_name, bare_name):
            compare(figures, ours, bar, SQLITE_AIM)
    weigh(figures, DEFAULT, SILENT)

    print("\nSQLite: export to /dev/null, the first created first; rows a second, and the most memory of all runs")
    print("sqlite3 writes the columns as they are stored: moments as numbers, no tags as an array", flush=True)
    file = os.path.join(kept, "ems.db")
    runs = {
        JSONL: (bench.ems, "event", "export", "--data-dir", kept), "sqlite3 -json": ("sqlite3", "-json", file, EXPORT),
        CSV: (bench.ems, "event", "export", "--format", "csv", "--data-dir", kept), "sqlite3 -csv": ("sqlite3", "-csv", file, EXPORT),
    }
    figures = measure_export(bench, runs, bench.environment)
    compare(figures, JSONL, "sqlite3 -json")
    compare(figures, CSV, "sqlite3 -csv")
    weigh(figures, JSONL, CSV)
    shutil.rmtree(kept)


def measure_export(bench, runs, environment):
    # Once for the count and the caches.
    for name, command in runs.items():
        expect_rows(bench, name, bench.lines(*command, env=environment), header=1 if name == CSV else 0)
    return take_turns(bench, {
        name: lambda command=command: bench.time(*command, env=environment) for name, command in runs.items()
    })


def measure_mongodb(bench):
    kept = None

    def in_database(body, is_kept=False):
        nonlocal kept
        name, environment = bench.database()
        figures = body(name, environment)
        if not is_kept:
            bench.drop(name)
            return figures
        if kept:
            bench.drop(kept[0])
        kept = name, environment
        return figures

    def plain(kind):
        return lambda: in_database(lambda name, _: bench.time(bench.bulk, bench.mongodb, name, "insert", bench.rows, kind))

    print("\nMongoDB: import into a new database; rows a second, and the most memory of all runs")
    print("plain C inserts the same documents, by 1,000; it does not publish and clear what is pending, as the default does", flush=True)
    pending_name, bare_name = "plain C, with a pending change", "plain C, without"
    figures = take_turns(bench, {
        DEFAULT: lambda: in_database(lambda _, environment: bench.time_import(env=environment)),
        pending_name: plain("pending"),
        SILENT: lambda: in_database(lambda _, environment: bench.time_import("--no-notifications", env=environment), is_kept=True),
        bare_name: plain("bare"),
    })
    compare(figures, DEFAULT, pending_name, MONGODB_AIM)
    compare(figures, SILENT, bare_name, MONGODB_AIM)
    weigh(figures, DEFAULT, SILENT)

    print("\nMongoDB: export to /dev/null, the first created first; rows a second, and the most memory of all runs")
    name, environment = kept
    figures = measure_export(bench, {
        JSONL: (bench.ems, "event", "export"), CSV: (bench.ems, "event", "export", "--format", "csv"),
        "plain C, extended JSON": (bench.bulk, bench.mongodb, name, "export"),
    }, environment)
    compare(figures, JSONL, "plain C, extended JSON", MONGODB_AIM)
    compare(figures, CSV, "plain C, extended JSON", MONGODB_AIM)
    weigh(figures, JSONL, CSV)
    bench.drop(name)


def positive(text):
    if (value := int(text)) < 1:
        raise ValueError
    return value


def parts(text):
    names = text.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(PARTS)}")
    return names


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/bulk", description=__doc__.split("\n", 1)[0])
    if "--help" not in sys.argv and "-h" not in sys.argv:
        parser.add_argument("release", help="the folder of ems")
        parser.add_argument("plain", help="the folder of the C programs")
    parser.add_argument("--rows", type=positive, default=1_000_000, help="how many events (default 1000000)")
    parser.add_argument("--rounds", type=positive, default=3, help="how often each runs, in turns (default 3)")
    parser.add_argument("--parts", type=parts, default=list(PARTS), help="what to measure (default sqlite,mongodb)")
    arguments = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda number, frame: sys.exit(129))
    load = os.getloadavg()[0]
    processor = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    with tempfile.TemporaryDirectory(prefix="ems-bench-") as place:
        bench = Bench(arguments.release, arguments.plain, place, arguments.rows, arguments.rounds)
        try:
            size = os.path.getsize(bench.ems) / 1e6
            version = bench.run(bench.ems, "--version")
            print(f"{version}, {size:.0f} MB, on {os.cpu_count()} cores of {processor}, Linux {platform.release()}")
            if "sqlite" in arguments.parts:
                print(f"SQLite {bench.run('sqlite3', '--version').split()[0]}")
            if "mongodb" in arguments.parts:
                bench.use_servers()
                mongodb = bench.run(bench.mongo, bench.mongodb, "admin", "version")
                print(f"{mongodb}; {bench.run(bench.rabbit, bench.rabbitmq, 'version')}")
            print(f"load before the run: {load:.2f}")
            print(f"{arguments.rows:,} events, {bench.generate('jsonl') / arguments.rows:.0f} bytes each as jsonl", flush=True)
            if "sqlite" in arguments.parts:
                measure_sqlite(bench)
            if "mongodb" in arguments.parts:
                measure_mongodb(bench)
        finally:
            bench.clean_up()


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bulk: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
