"""Measures how notifications reach WebSockets in one or more ems binaries, by turns. Usage: fanout.py EMS [EMS…] [--sockets N] [--events N] [--rounds N]

For each binary and round, on a new embedded store: so many WebSockets connect, one after the other; then events are imported, and every socket
is notified of each. It prints connections a second, the memory of each idle one, deliveries a second until the last has arrived, and the
daemon's processor time for each. This program reads on the same cores, and counts bytes only. Needs Python 3.9 or newer and a Linux /proc.
"""

import argparse
import json
import os
import resource
import select
import socket
import statistics
import subprocess
import tempfile
import time

from daemon import Store, machine

EVENT = {"start_time": "2040-03-01T09:00:00Z", "end_time": "2040-03-01T17:00:00Z"}


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))


def connect(port, token):
    """A WebSocket that has been greeted."""
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(
        f"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    heard = b""
    while b"connection_status" not in heard:
        part = client.recv(65536)
        assert part, heard
        heard += part
    client.setblocking(False)
    return client


def measure(ems, place, sockets, events):
    store = Store(ems, place)
    store.environment.update(EMS_WEBSOCKETS_PER_USER=str(sockets + 1), EMS_WEBSOCKETS_PER_ADDRESS=str(sockets + 1))
    token = store.token()
    with store.serving() as (daemon, port):
        connect(port, token).close()
        before, start = resident_bytes(daemon.pid), time.perf_counter()
        clients = [connect(port, token) for _ in range(sockets)]
        connected = sockets / (time.perf_counter() - start)
        time.sleep(1)
        memory = (resident_bytes(daemon.pid) - before) / sockets
        poll = select.epoll()
        received = {}
        for client in clients:
            poll.register(client, select.EPOLLIN)
            received[client.fileno()] = 0
        files = {client.fileno(): client for client in clients}
        path = f"{place}/events.jsonl"
        with open(path, "w") as file:
            file.writelines(json.dumps({**EVENT, "title": f"Event {number:06}"}) + "\n" for number in range(events))
        used, start = processor_seconds(daemon.pid), time.perf_counter()
        command = subprocess.Popen([ems, "event", "import", path], env=store.environment, stderr=subprocess.DEVNULL)
        # After the import, a whole second without a byte is the end.
        last = time.perf_counter()
        while command.poll() is None or time.perf_counter() - last < 1:
            for number, _ in poll.poll(0.1):
                part = files[number].recv(1 << 20)
                assert part, "a socket was closed: too slow"
                received[number] += len(part)
                last = time.perf_counter()
        took, used = last - start, processor_seconds(daemon.pid) - used
        lengths = set(received.values())
        assert len(lengths) == 1, f"not all got the same: {sorted(lengths)[:5]}"
        for client in clients:
            client.close()
    deliveries = sockets * events
    return {
        "connections": (connected, "/s"), "memory for each idle connection": (memory, "bytes"),
        "deliveries": (deliveries / took, "/s"), "processor time for each": (used / deliveries * 1e9, "ns"),
        "bytes for each": (lengths.pop() / events, "bytes"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ems", nargs="+", help="the binaries")
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--place", default=None, help="where the stores are: a directory on a disk")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    print(machine())
    print(f"{arguments.sockets:,} WebSockets, {arguments.events:,} events; {arguments.rounds} rounds of each binary by turns\n")
    results = {ems: [] for ems in arguments.ems}
    for _ in range(arguments.rounds):
        for ems in arguments.ems:
            with tempfile.TemporaryDirectory(prefix="ems-bench-", dir=arguments.place) as place:
                results[ems].append(measure(os.path.abspath(ems), place, arguments.sockets, arguments.events))
    for ems, rounds in results.items():
        print(ems)
        for name, (_, unit) in rounds[0].items():
            values = [one[name][0] for one in rounds]
            print(
                f"  {name:<32} median {statistics.median(values):12,.0f} {unit:<6} lowest {min(values):12,.0f}   "
                f"highest {max(values):12,.0f}   n {len(values)}")


main()
