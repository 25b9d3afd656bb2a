"""Connects to a daemon the way clients do that take their time, over TLS, and checks what becomes of them.

    python3 slow_clients.py clocks PORT CERTIFICATE
    TOKEN=… python3 slow_clients.py readers PORT CERTIFICATE PID PATH

`clocks`: connections over HTTP/2 and HTTP/1.1 that begin and do not go on, or a byte now and then; each must be closed
by the daemon. `readers`: four connections that ask for PATH on a hundred streams each and read nothing; the memory of the
daemon (its PID) must stay within bounds, others must be answered meanwhile, and what was refused must be 503. What comes
out is TAP version 14; the exit status is 0 where all is well, 1 where something is wrong.
"""

import asyncio
import os
import ssl
import struct
import sys

# Three times the longest limit of the daemon: a machine may be busy.
PATIENCE = 180.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE, UNKNOWN = 0, 1, 4, 6, 8, 0x42
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
LARGEST_WINDOW = 2**31 - 1
# RFC 7541: appendix A, and the literal 503 plain and in the code of appendix B.
STATUS_200, STATUS_503 = 0x88, (b"\x03503", b"\x83\x6c\x0c\xff")
STREAMS = 100
READERS = 4
# Four times what the daemon lets one user's answers hold (16 MiB), and what a debug build needs besides.
MEMORY_BYTES = 200 * 1024 * 1024


def frame(kind, flags=0, stream=0, payload=b""):
    """A frame (RFC 9113, section 4.1)."""
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def text(value):
    """A string literal (RFC 7541, section 5.2), not compressed."""
    raw = value.encode()
    if len(raw) < 127:
        return bytes([len(raw)]) + raw
    length, rest = [127], len(raw) - 127
    while rest >= 128:
        length.append(rest % 128 | 0x80)
        rest //= 128
    return bytes([*length, rest]) + raw


def head(method, path, **more):
    """A request's fields, none of them indexed (RFC 7541, section 6.2.2)."""
    fields = {":method": method, ":scheme": "https", ":authority": "localhost", ":path": path}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields.items())


async def connect(port, certificate, protocol):
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.set_alpn_protocols([protocol])
    return await asyncio.open_connection("127.0.0.1", port, ssl=context)


async def is_closed(reader, writer, drip=None):
    """Whether the daemon closes the connection, on which `drip` is sent every few seconds."""

    async def ended():
        try:
            while await reader.read(65536):
                pass
        except OSError:
            pass

    async def dripping():
        while drip:
            await asyncio.sleep(3)
            try:
                writer.write(drip)
                await writer.drain()
            except OSError:
                return
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(ended()), asyncio.create_task(dripping())]
    try:
        done, _ = await asyncio.wait(tasks, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for task in tasks:
            task.cancel()
        writer.close()


async def clocks(port, certificate):
    start = PREFACE + frame(SETTINGS)
    unended = head("GET", "/healthz")
    post = head("POST", "/auth/login", content_type="application/json", content_length="100")
    http2 = {
        "nothing after the preface": (start, None),
        "nothing after half of the preface": (PREFACE[:10], None),
        "an unknown frame now and then": (start, frame(UNKNOWN, payload=b"x")),
        "a PING now and then": (start, frame(PING, payload=b"12345678")),
        "SETTINGS now and then": (start, frame(SETTINGS)),
        "a head that does not end": (start + frame(HEADERS, END_STREAM, 1, unended), None),
        "half a frame": (start + frame(HEADERS, END_STREAM | END_HEADERS, 1, unended)[:12], None),
        "a body that does not come": (start + frame(HEADERS, END_HEADERS, 1, post), None),
        "a body of a byte now and then": (start + frame(HEADERS, END_HEADERS, 1, post), frame(DATA, 0, 1, b"x")),
    }
    http1 = {
        "nothing": (b"", None),
        "half a head": (b"GET /heal", None),
        "a head of a byte now and then": (b"GET /", b"x"),
        "a body of a byte now and then": (b"POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{", b" "),
    }

    async def case(protocol, name, sent, drip):
        reader, writer = await connect(port, certificate, protocol)
        writer.write(sent)
        return f"over {protocol}, {name}: closed", await is_closed(reader, writer, drip)

    async def silent():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return "a connection without a handshake: closed", await is_closed(reader, writer)

    cases = [case("h2", name, *what) for name, what in http2.items()]
    cases += [case("http/1.1", name, *what) for name, what in http1.items()]
    return list(await asyncio.gather(silent(), *cases))


class Streams:
    """A connection of HTTP/2 with windows so large that only the socket holds the daemon back."""

    @classmethod
    async def open(cls, port, certificate):
        self = cls()
        self.reader, self.writer = await connect(port, certificate, "h2")
        # No table of fields, so that each answer spells out its status; no window but the largest.
        settings = struct.pack("!HIHI", 1, 0, 4, LARGEST_WINDOW)
        self.writer.write(PREFACE + frame(SETTINGS, payload=settings))
        self.writer.write(frame(WINDOW_UPDATE, payload=struct.pack("!I", LARGEST_WINDOW - 65535)))
        return self

    async def ask(self, path, token, count):
        fields = head("GET", path, authorization=f"Bearer {token}")
        self.writer.write(
            b"".join(frame(HEADERS, END_STREAM | END_HEADERS, 1 + 2 * index, fields) for index in range(count)))
        await self.writer.drain()

    async def statuses(self, count):
        """The status of each answer, 200 or 503, once they are all read to their end; 0 for any other."""
        answers, ended = {}, 0
        while ended < count:
            start = await asyncio.wait_for(self.reader.readexactly(9), PATIENCE)
            length, kind, flags = int.from_bytes(start[:3], "big"), start[3], start[4]
            stream = int.from_bytes(start[5:], "big")
            payload = await self.reader.readexactly(length)
            if kind == SETTINGS and not flags & ACK:
                self.writer.write(frame(SETTINGS, ACK))
            if kind == HEADERS:
                # After changes of the table's size comes the status: indexed, or after its name as a literal.
                status = payload.lstrip(bytes(range(0x20, 0x40)))
                answers[stream] = 200 if status[0] == STATUS_200 else 503 if status[1:5] in STATUS_503 else 0
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                ended += 1
        return list(answers.values())


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def used_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def settled(pid):
    """Returns when the daemon has done what there is to do."""
    used, since = used_ticks(pid), 0.0
    for _ in range(int(PATIENCE)):
        await asyncio.sleep(1)
        now = used_ticks(pid)
        since = since + 1 if now - used <= 5 else 0
        used = now
        if since >= 3:
            return


async def readers(port, certificate, pid, path):
    token = os.environ["TOKEN"]
    before = resident_bytes(pid)
    slow = [await Streams.open(port, certificate) for _ in range(READERS)]
    for connection in slow:
        await connection.ask(path, token, STREAMS)
    await settled(pid)
    grown = resident_bytes(pid) - before
    other = await Streams.open(port, certificate)
    await other.ask("/healthz", token, 1)
    results = [
        (f"{READERS * STREAMS} answers that nobody reads hold {grown >> 20} MiB", grown < MEMORY_BYTES),
        ("another connection is answered meanwhile", await other.statuses(1) == [200]),
    ]
    answers = sum([await connection.statuses(STREAMS) for connection in slow], [])
    granted, refused = answers.count(200), answers.count(503)
    results.append((f"{granted} answers are granted", granted >= READERS))
    results.append((f"all others, {refused}, are refused with 503", refused > 0 and granted + refused == len(answers)))
    fresh = await Streams.open(port, certificate)
    await fresh.ask(path, token, 1)
    results.append(("what was read makes room for more", await fresh.statuses(1) == [200]))
    return results


def main(arguments):
    match arguments:
        case ["clocks", port, certificate]:
            results = asyncio.run(clocks(int(port), certificate))
        case ["readers", port, certificate, pid, path]:
            results = asyncio.run(readers(int(port), certificate, int(pid), path))
        case _:
            print(__doc__, file=sys.stderr)
            return 64
    print("TAP version 14")
    print(f"1..{len(results)}")
    for number, (name, is_right) in enumerate(results, 1):
        print(f"{'ok' if is_right else 'not ok'} {number} - {name}")
    return 0 if all(is_right for _, is_right in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
