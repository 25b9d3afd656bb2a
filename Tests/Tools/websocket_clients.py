"""Checks the WebSocket of a running daemon with clients that are not its own.

    TOKEN=$(ems token issue --user ada) python websocket_clients.py http://127.0.0.1:8000

Three implementations of RFC 6455 hold the same conversations: websockets, picows, and
wsproto over a plain socket. Where a library refuses to misbehave, the bytes are made by
hand. What comes out is TAP version 14; the exit status is 0 where all is well, 1 where
something is wrong, 64 for a wrong call. A few events are left behind.
"""

import asyncio
import http.client
import io
import json
import os
import socket
import struct
import sys
import traceback
import urllib.request
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import urlsplit

import picows
import websockets
from websockets.asyncio.client import ClientConnection, connect
from wsproto import WSConnection
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

CASE_SECONDS = 30.0
ALL_SECONDS = 180.0
# How long the daemon may take for what it owes at once.
ANSWER_SECONDS = 10.0
# The largest message that the daemon takes.
MESSAGE_BYTES = 16 * 1024
# How much a client may send without reading, and for how long, before the daemon must have
# had enough: more than sockets hold both ways. Only one that takes no more stalls so long.
UNREAD_BYTES = 48 << 20
STALL_SECONDS = 2.0
CLIENTS = 100

Message = dict[str, Any]


class Failure(Exception):
    """What a case found to be wrong, in words."""


class Refused(Exception):
    """The handshake was answered with another status than 101."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the handshake was refused with {status}")
        self.status = status


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failure(otherwise)


def same(what: str, found: object, *expected: object) -> None:
    wanted = " or ".join(repr(value) for value in expected)
    expect(found in expected, f"{what} is {found!r}, not {wanted}")


# --- The daemon, over HTTP ---


@dataclass(frozen=True)
class Handshake:
    """How a client asks for its connection."""

    target: str = "/ws/ws"
    headers: Mapping[str, str] = field(default_factory=dict)
    subprotocols: tuple[str, ...] = ()
    compression: bool = False


class Daemon:
    def __init__(self, base: str, token: str) -> None:
        address = urlsplit(base)
        self.base = base.rstrip("/")
        self.token = token
        self.authority = address.netloc
        self.host = address.hostname or ""
        self.port = address.port or 80
        # A proxy of the environment is not meant for this.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._numbers = count(1)
        self.me: Message = self._request("GET", "/auth/me")

    @property
    def handshake(self) -> Handshake:
        """The plainest one that is let in."""
        return Handshake(headers={"Authorization": f"Bearer {self.token}"})

    async def create_event(self) -> Message:
        start = datetime.now(UTC) + timedelta(days=30)
        body = {
            "title": f"For WebSocket clients {next(self._numbers)}",
            "description": "",
            "location": "",
            "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "end_time": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        }
        event: Message = await asyncio.to_thread(self._request, "POST", "/events", body)
        return event

    async def subscriptions(self) -> set[str]:
        """The ids of the events that the user has subscribed to."""
        listed = await asyncio.to_thread(self._request, "GET", "/events/subscriptions")
        return {subscription["event_id"] for subscription in listed["subscriptions"]}

    def _request(self, method: str, path: str, body: Message | None = None) -> Any:
        request = urllib.request.Request(
            self.base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**self.handshake.headers, "Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=CASE_SECONDS) as answer:
            return json.load(answer)


# --- The three libraries, behind what the conversations need of them ---


class Peer(ABC):
    """A WebSocket connection of some library."""

    library: ClassVar[str]
    subprotocol: str | None
    extensions: Sequence[object]

    @classmethod
    @abstractmethod
    async def connect(cls, daemon: Daemon, handshake: Handshake) -> Self:
        """Raises Refused where the daemon says no."""

    @abstractmethod
    async def receive(self) -> str:
        """Returns the next text message."""

    @abstractmethod
    async def send(self, *fragments: str | bytes) -> None:
        """Sends one message; whether that went well is seen by what comes back."""

    @abstractmethod
    async def ping(self, payload: bytes) -> None:
        """Returns when the pong with the same payload is there."""

    @abstractmethod
    async def close(self, code: int, reason: str) -> int:
        """Says goodbye, and returns the code of the daemon's answer."""

    @abstractmethod
    async def closed(self) -> int:
        """Returns the code with which the daemon has ended the connection."""

    @abstractmethod
    def drop(self) -> None:
        """Ends the connection without a word."""

    async def next(self, kind: str) -> Message:
        """Returns the next message, which is of this kind; notifications may come any time."""
        while True:
            message: Message = json.loads(await self.receive())
            if message["type"] == kind:
                return message
            same("the type of the message", message["type"], kind, "notification")

    async def ask(self, action: str, **fields: str) -> None:
        await self.send(json.dumps({"action": action, **fields}))

    async def check(self) -> None:
        """A request is answered."""
        await self.ask("ping")
        await self.next("pong")


class WebsocketsPeer(Peer):
    library = "websockets"

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.subprotocol = connection.subprotocol
        self.extensions = connection.protocol.extensions

    @classmethod
    async def connect(cls, daemon: Daemon, handshake: Handshake) -> Self:
        try:
            connection = await connect(
                f"ws://{daemon.authority}{handshake.target}",
                additional_headers=handshake.headers,
                subprotocols=[websockets.Subprotocol(name) for name in handshake.subprotocols],
                compression="deflate" if handshake.compression else None,
                proxy=None,
                open_timeout=None,
                ping_interval=None,
                close_timeout=CASE_SECONDS,
            )
        except websockets.InvalidStatus as error:
            raise Refused(error.response.status_code) from error
        return cls(connection)

    async def receive(self) -> str:
        message = await self._connection.recv()
        if not isinstance(message, str):
            raise Failure("the daemon sent a binary message")
        return message

    async def send(self, *fragments: str | bytes) -> None:
        message: Any = fragments[0] if len(fragments) == 1 else fragments
        with suppress(websockets.ConnectionClosed):
            await self._connection.send(message)

    async def ping(self, payload: bytes) -> None:
        await (await self._connection.ping(payload))

    async def close(self, code: int, reason: str) -> int:
        await self._connection.close(code, reason)
        return await self.closed()

    async def closed(self) -> int:
        await self._connection.wait_closed()
        return self._connection.close_code or 0

    def drop(self) -> None:
        # One that is closed already has no loop to be told of it.
        if not self._connection.transport.is_closing():
            self._connection.transport.abort()


class PicowsListener(picows.WSListener):
    """Puts what comes in where others can wait for it."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[str | None] = asyncio.Queue()
        self.pongs: asyncio.Queue[bytes] = asyncio.Queue()
        self.close_code = 0
        self.ended = asyncio.Event()

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT and frame.fin:
            self.messages.put_nowait(frame.get_payload_as_utf8_text())
        elif frame.msg_type == picows.WSMsgType.PONG:
            self.pongs.put_nowait(frame.get_payload_as_bytes())
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            self.close_code = int.from_bytes(frame.get_payload_as_bytes()[:2], "big")
            if not transport.is_close_frame_sent:
                transport.send_close(picows.WSCloseCode.OK)
        else:
            transport.send_close(picows.WSCloseCode.UNSUPPORTED_DATA)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self.messages.put_nowait(None)
        self.ended.set()


class PicowsPeer(Peer):
    library = "picows"

    def __init__(self, transport: picows.WSTransport, listener: PicowsListener) -> None:
        self._transport = transport
        self._listener = listener
        self.subprotocol = transport.response.headers.get("Sec-WebSocket-Protocol")
        self.extensions = transport.response.headers.getall("Sec-WebSocket-Extensions", [])

    @classmethod
    async def connect(cls, daemon: Daemon, handshake: Handshake) -> Self:
        headers = dict(handshake.headers)
        if handshake.subprotocols:
            headers["Sec-WebSocket-Protocol"] = ", ".join(handshake.subprotocols)
        if handshake.compression:
            headers["Sec-WebSocket-Extensions"] = "permessage-deflate; client_max_window_bits"
        listener = PicowsListener()
        try:
            transport, _ = await picows.ws_connect(
                lambda: listener,
                f"ws://{daemon.authority}{handshake.target}",
                extra_headers=headers,
                websocket_handshake_timeout=None,
            )
        except picows.WSInvalidStatusError as error:
            raise Refused(int(error.response.status) if error.response else 0) from error
        return cls(transport, listener)

    async def receive(self) -> str:
        message = await self._listener.messages.get()
        if message is None:
            raise Failure(f"the connection was closed with {self._listener.close_code}")
        return message

    async def send(self, *fragments: str | bytes) -> None:
        types = picows.WSMsgType
        kind = types.TEXT if isinstance(fragments[0], str) else types.BINARY
        for index, fragment in enumerate(fragments):
            is_last = index == len(fragments) - 1
            self._transport.send(types.CONTINUATION if index else kind, fragment, is_last)

    async def ping(self, payload: bytes) -> None:
        self._transport.send_ping(payload)
        same("the payload of the pong", await self._listener.pongs.get(), payload)

    async def close(self, code: int, reason: str) -> int:
        # Any number will do, not only the named ones.
        self._transport.send_close(code, reason)  # type: ignore[arg-type]
        return await self.closed()

    async def closed(self) -> int:
        await self._listener.ended.wait()
        return self._listener.close_code

    def drop(self) -> None:
        self._transport.disconnect(graceful=False)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage


class Plain:
    """A TCP connection with every byte in one's own hands."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.was_reset = False
        self._received = bytearray()

    @classmethod
    async def open(cls, daemon: Daemon) -> Self:
        loop = asyncio.get_running_loop()
        kind = socket.SOCK_STREAM
        family, *_, address = (await loop.getaddrinfo(daemon.host, daemon.port, type=kind))[0]
        connected = socket.socket(family, kind)
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(connected, address)
        return cls(connected)

    async def write(self, data: bytes) -> bool:
        """Returns whether the daemon took it; where not, its reason may still be read."""
        try:
            await asyncio.get_running_loop().sock_sendall(self.socket, data)
        except ConnectionError:
            return False
        return True

    async def write_bytewise(self, data: bytes) -> None:
        for byte in data:
            await self.write(bytes([byte]))

    async def read(self) -> bytes:
        """Returns what comes next; nothing at the end of the connection."""
        if self._received:
            data = bytes(self._received)
            self._received.clear()
            return data
        try:
            return await asyncio.get_running_loop().sock_recv(self.socket, 1 << 16)
        except ConnectionError:
            self.was_reset = True
            return b""

    async def read_answer(self) -> Answer:
        """Returns an answer over HTTP, without its body."""
        while b"\r\n\r\n" not in self._received:
            await self._read_on()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        status, _, fields = head.partition(b"\r\n")
        headers = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
        length = int(headers.get("Content-Length", 0))
        self._received = rest
        while len(self._received) < length:
            await self._read_on()
        del self._received[:length]
        return Answer(int(status.split()[1]), headers)

    async def _read_on(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(self.socket, 1 << 16)
        expect(bool(data), "the connection ended within an answer")
        self._received += data

    def end_sending(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def drop(self) -> None:
        self.socket.close()


class Wire(Peer):
    """A plain connection whose incoming bytes wsproto reads, without mercy."""

    library = "wsproto"

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events: deque[Event] = deque()

    @classmethod
    async def connect(cls, daemon: Daemon, handshake: Handshake) -> Self:
        wire = cls(await Plain.open(daemon))
        try:
            await wire.plain.write(wire.request(daemon, handshake))
            await wire.accepted()
        except BaseException:
            wire.drop()
            raise
        return wire

    def request(self, daemon: Daemon, handshake: Handshake) -> bytes:
        headers = [(name.encode(), value.encode()) for name, value in handshake.headers.items()]
        return self._protocol.send(
            Request(
                host=daemon.authority,
                target=handshake.target,
                extensions=[PerMessageDeflate()] if handshake.compression else [],
                extra_headers=headers,
                subprotocols=list(handshake.subprotocols),
            )
        )

    async def accepted(self) -> None:
        answer = await self.event()
        if isinstance(answer, RejectConnection):
            raise Refused(answer.status_code)
        if not isinstance(answer, AcceptConnection):
            raise Failure(f"the handshake was answered with {answer}")
        self.subprotocol = answer.subprotocol
        self.extensions = answer.extensions

    async def event(self) -> Event | None:
        """Returns what comes next; None at the end of the connection."""
        while not self._events:
            data = await self.plain.read()
            if not data:
                return None
            expect(not self._is_closed, "the daemon said more after its close frame")
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                if isinstance(event, CloseConnection) and not self._is_closed:
                    raise Failure(f"the daemon sent a wrong frame: {event.reason}")
                if isinstance(event, Ping):
                    await self.plain.write(self._protocol.send(event.response()))
                else:
                    self._events.append(event)
        return self._events.popleft()

    @property
    def _is_closed(self) -> bool:
        """Whether the daemon has sent its close frame."""
        closed = (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED)
        return self._protocol.state in closed

    async def receive(self) -> str:
        text = ""
        while True:
            event = await self.event()
            if not isinstance(event, TextMessage):
                raise Failure(f"instead of a message there came {event}")
            text += event.data
            if event.message_finished:
                return text

    async def send(self, *fragments: str | bytes) -> None:
        for index, fragment in enumerate(fragments):
            is_last = index == len(fragments) - 1
            event: Event = (
                TextMessage(fragment, message_finished=is_last)
                if isinstance(fragment, str)
                else BytesMessage(fragment, message_finished=is_last)
            )
            await self.plain.write(self._protocol.send(event))

    async def ping(self, payload: bytes) -> None:
        await self.plain.write(self._protocol.send(Ping(payload)))
        await self.pong(payload)

    async def pong(self, payload: bytes) -> None:
        same("what comes for the ping", await self.event(), Pong(payload))

    async def close(self, code: int, reason: str) -> int:
        await self.plain.write(self._protocol.send(CloseConnection(code, reason)))
        return await self.closed()

    async def closed(self, *, is_answered: bool = True, after_messages: bool = False) -> int:
        """The daemon sends a close frame, then nothing, and ends the connection first."""
        event = await self.event()
        while after_messages and isinstance(event, TextMessage):
            event = await self.event()
        if not isinstance(event, CloseConnection):
            raise Failure(f"instead of a close frame there came {event}")
        if is_answered and self._protocol.state is ConnectionState.REMOTE_CLOSING:
            await self.plain.write(self._protocol.send(event.response()))
        same("what comes after the close frame", await self.event(), None)
        return int(event.code)

    def drop(self) -> None:
        self.plain.drop()


PEERS: tuple[type[Peer], ...] = (WebsocketsPeer, PicowsPeer, Wire)
AnyPeer = TypeVar("AnyPeer", bound=Peer)


@asynccontextmanager
async def session(
    kind: type[AnyPeer], daemon: Daemon, handshake: Handshake | None = None
) -> AsyncIterator[AnyPeer]:
    """A connection that has had the first message, which says who is connected."""
    peer = await kind.connect(daemon, handshake or daemon.handshake)
    try:
        first: Message = json.loads(await peer.receive())
        same("the type of the first message", first["type"], "connection_status")
        same("the user of the first message", first["user_id"], daemon.me["user_id"])
        same("recovered in the first message", first["recovered"], False)
        expect("timestamp" in first, "the first message has no timestamp")
        yield peer
    finally:
        peer.drop()


# --- Who gets in ---

Entrance = Callable[[str, str], Handshake]

ENTRANCES: dict[str, Entrance] = {
    "in Authorization": lambda path, token: Handshake(
        path, headers={"Authorization": f"Bearer {token}"}
    ),
    "among the subprotocols": lambda path, token: Handshake(path, subprotocols=("bearer", token)),
    "in the query": lambda path, token: Handshake(f"{path}?token={token}"),
}
PATHS = ("/ws", "/ws/ws", "/api/ws", "/api/ws/ws")


async def gets_in(daemon: Daemon, kind: type[Peer], handshake: Handshake) -> None:
    async with session(kind, daemon, handshake) as peer:
        same("the subprotocol", peer.subprotocol, *handshake.subprotocols[:1] or (None,))
        await peer.check()


async def is_refused(daemon: Daemon, kind: type[Peer], handshake: Handshake) -> None:
    try:
        peer = await kind.connect(daemon, handshake)
    except Refused as refused:
        same("the status", refused.status, 401)
    else:
        peer.drop()
        raise Failure("it was let in")


async def each_library(
    check: Callable[[Daemon, type[Peer], Handshake], Awaitable[None]],
    daemon: Daemon,
    handshake: Handshake,
) -> None:
    for kind in PEERS:
        await check(daemon, kind, handshake)


# --- Conversations that every library has ---

Conversation = Callable[[Daemon, Peer], Awaitable[None]]


async def asks_for_a_pong(_: Daemon, peer: Peer) -> None:
    for _number in range(3):
        await peer.check()


async def pings(_: Daemon, peer: Peer) -> None:
    for payload in (b"a", b"\x00\xff\xfe\x80", bytes(range(125))):
        await peer.ping(payload)


async def subscribes(daemon: Daemon, peer: Peer) -> None:
    event = (await daemon.create_event())["event_id"]
    for action in ("subscribe", "subscribe", "unsubscribe"):
        await peer.ask(action, event_id=event)
        update = await peer.next("subscription_update")
        same("the event", update["event_id"], event)
        same("the status", update["status"], f"{action}d")
        is_listed = event in await daemon.subscriptions()
        same("whether it is listed", is_listed, action == "subscribe")


async def is_told(daemon: Daemon, peer: Peer) -> None:
    event = await daemon.create_event()
    told = await peer.next("notification")
    # What others created a moment ago may come first.
    while told["event"]["id"] != event["event_id"]:
        told = await peer.next("notification")
    same("the kind", told["notification_type"], "event.created")
    same("the event", told["event"]["id"], event["event_id"])
    same("the title", told["event"]["title"], event["title"])
    same("the action", told["event"]["action"], "created")
    same("who did it", told["user"], daemon.me["username"])
    await peer.ask("mark_read", notification_id=told["notification_id"])
    read = await peer.next("notification_read")
    same("what is read", read["notification_id"], told["notification_id"])


async def sends_fragments(_: Daemon, peer: Peer) -> None:
    await peer.send('{"act', "ion", "", '": ', '"ping"', "}")
    await peer.next("pong")


async def sends_much(_: Daemon, peer: Peer) -> None:
    message = '{"action": "ping"}'.ljust(MESSAGE_BYTES)
    await peer.send(message)
    await peer.next("pong")
    await peer.send(message[:1], message[1:-1], message[-1:])
    await peer.next("pong")


async def errs(_: Daemon, peer: Peer) -> None:
    for message in ("", "{", "[]", '{"action": "dance"}', '{"action": "subscribe"}'):
        await peer.send(message)
        error = await peer.next("error")
        expect(bool(error["detail"]), "the error has no detail")
    await peer.check()


async def leaves(_: Daemon, peer: Peer, code: int, reason: str) -> None:
    same("the code of the answer", await peer.close(code, reason), code)


async def is_closed(_: Daemon, peer: Peer, message: tuple[str | bytes, ...], code: int) -> None:
    await peer.send(*message)
    same("the close code", await peer.closed(), code)


CONVERSATIONS: dict[str, Conversation] = {
    "is answered when it asks for a pong": asks_for_a_pong,
    "gets back what its protocol pings hold": pings,
    "subscribes to an event, and unsubscribes": subscribes,
    "is told of a new event, and marks that as read": is_told,
    "sends a message in fragments": sends_fragments,
    "sends messages of 16,384 bytes": sends_much,
    "is told what is wrong with its requests, and stays connected": errs,
    "leaves with 1000, and gets it back": partial(leaves, code=1000, reason=""),
    "leaves with 4000 and a reason, and gets it back": partial(
        leaves, code=4000, reason="Schönen Tag 🎉"
    ),
    "is closed with 1003 for a binary message": partial(
        is_closed, message=(b"\x01\x02",), code=1003
    ),
    "is closed with 1009 for a message of 16,385 bytes": partial(
        is_closed, message=("a" * (MESSAGE_BYTES + 1),), code=1009
    ),
    # Most of it is still under way when the daemon has seen its header.
    "is closed with 1009 for a message of 8 MiB": partial(
        is_closed, message=("a" * (8 << 20),), code=1009
    ),
    "is closed with 1009 for a message of 1 MiB in fragments": partial(
        is_closed, message=("a" * 1024,) * 1024, code=1009
    ),
}


async def converses(daemon: Daemon, kind: type[Peer], conversation: Conversation) -> None:
    async with session(kind, daemon) as peer:
        await conversation(daemon, peer)


async def compression_is_declined(daemon: Daemon, kind: type[Peer]) -> None:
    handshake = Handshake(headers=daemon.handshake.headers, compression=True)
    async with session(kind, daemon, handshake) as peer:
        same("the extensions", list(peer.extensions), [])
        await peer.check()


# --- Frames made by hand (RFC 6455, section 5) ---

FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = b"\x5a\xc3\x11\x7e"


def frame(
    first: int, payload: str | bytes = b"", *, is_masked: bool = True, announced: int = -1
) -> bytes:
    """A frame with the first byte as given; its header may announce another length."""
    data = payload.encode() if isinstance(payload, str) else payload
    length = len(data) if announced < 0 else announced
    mask_bit = 0x80 if is_masked else 0
    if length < 126:
        header = struct.pack("!BB", first, mask_bit | length)
    elif length < 1 << 16:
        header = struct.pack("!BBH", first, mask_bit | 126, length)
    else:
        header = struct.pack("!BBQ", first, mask_bit | 127, length)
    if not is_masked:
        return header + data
    return header + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(data))


def fragments(*payloads: str | bytes) -> bytes:
    """One text message, each payload in a frame of its own."""
    last = len(payloads) - 1
    return b"".join(
        frame((FIN if at == last else 0) | (CONTINUATION if at else TEXT), payload)
        for at, payload in enumerate(payloads)
    )


def close_frame(code: int, reason: str | bytes = b"") -> bytes:
    data = reason.encode() if isinstance(reason, str) else reason
    return frame(FIN | CLOSE, code.to_bytes(2, "big") + data)


PING_ACTION = b'{"action": "ping"}'
REQUEST = frame(FIN | TEXT, PING_ACTION)
# What the answer repeats: it shows that the characters have arrived well.
QUOTED = '{"action": "subscribe", "event_id": "é€🎉"}'.encode()


@dataclass(frozen=True)
class Good:
    """Bytes that hold one request, and perhaps pings before its end."""

    what: str
    data: bytes
    pongs: tuple[bytes, ...] = ()
    is_quoted: bool = False
    is_bytewise: bool = False


GOOD = (
    Good("in as many fragments as bytes", fragments(*(bytes([byte]) for byte in PING_ACTION))),
    Good(
        "among thousands of empty fragments", fragments(*[b""] * 2000, PING_ACTION, *[b""] * 2000)
    ),
    Good("that comes byte by byte", REQUEST, is_bytewise=True),
    Good(
        "in fragments that come byte by byte",
        fragments(PING_ACTION[:7], b"", PING_ACTION[7:]),
        is_bytewise=True,
    ),
    Good(
        "with a mask of zeros",
        bytes([FIN | TEXT, 0x80 | len(PING_ACTION)]) + bytes(4) + PING_ACTION,
    ),
    Good(
        "with pings between its fragments",
        frame(TEXT, PING_ACTION[:1])
        + frame(FIN | PING, b"one")
        + frame(CONTINUATION, PING_ACTION[1:9])
        + frame(FIN | PING)
        + frame(CONTINUATION)
        + frame(FIN | PING, bytes(125))
        + frame(FIN | CONTINUATION, PING_ACTION[9:]),
        pongs=(b"one", b"", bytes(125)),
    ),
    Good(
        "with an unasked pong between its fragments",
        frame(TEXT, PING_ACTION[:5])
        + frame(FIN | PONG, b"unasked")
        + frame(FIN | CONTINUATION, PING_ACTION[5:]),
    ),
    Good(
        "after a hundred pings in one go",
        b"".join(frame(FIN | PING, b"%d" % number) for number in range(100)) + REQUEST,
        pongs=tuple(b"%d" % number for number in range(100)),
    ),
    Good(
        "with each byte of its characters in a fragment of its own",
        fragments(*(bytes([byte]) for byte in QUOTED)),
        is_quoted=True,
    ),
    Good(
        "with a ping within a character",
        frame(TEXT, QUOTED[:-4])
        + frame(FIN | PING, b"within")
        + frame(FIN | CONTINUATION, QUOTED[-4:]),
        pongs=(b"within",),
        is_quoted=True,
    ),
)


async def is_understood(daemon: Daemon, good: Good) -> None:
    async with session(Wire, daemon) as wire:
        await (wire.plain.write_bytewise if good.is_bytewise else wire.plain.write)(good.data)
        for payload in good.pongs:
            await wire.pong(payload)
        if good.is_quoted:
            error = await wire.next("error")
            expect("é€🎉" in error["detail"], f"the answer does not quote: {error}")
        else:
            await wire.next("pong")
        await wire.check()


@dataclass(frozen=True)
class Violation:
    """Bytes that break the protocol, and the close codes that fit."""

    what: str
    data: bytes
    codes: tuple[int, ...] = (1002,)


VIOLATIONS = (
    Violation("An unmasked message", frame(FIN | TEXT, PING_ACTION, is_masked=False)),
    Violation("An unmasked, empty message", frame(FIN | TEXT, is_masked=False)),
    Violation("An unmasked ping", frame(FIN | PING, is_masked=False)),
    Violation("An unmasked close frame", frame(FIN | CLOSE, b"\x03\xe8", is_masked=False)),
    Violation("The first reserved bit of a message", frame(FIN | RSV1 | TEXT, PING_ACTION)),
    Violation("The second reserved bit of a message", frame(FIN | RSV2 | TEXT, PING_ACTION)),
    Violation("The third reserved bit of a message", frame(FIN | RSV3 | TEXT, PING_ACTION)),
    Violation("A reserved bit of a ping", frame(FIN | RSV1 | PING)),
    Violation("A reserved bit of a close frame", frame(FIN | RSV2 | CLOSE)),
    Violation("A reserved bit of a continuation", frame(TEXT) + frame(FIN | RSV1)),
    *(
        Violation(f"The reserved opcode {opcode:X}", frame(FIN | opcode))
        for opcode in (*range(0x3, 0x8), *range(0xB, 0x10))
    ),
    Violation("A reserved opcode with a payload", frame(FIN | 0x3, PING_ACTION)),
    Violation("A ping in fragments", frame(PING, b"a") + frame(FIN | CONTINUATION, b"b")),
    Violation("A pong in fragments", frame(PONG) + frame(FIN | CONTINUATION)),
    Violation("A close frame in fragments", frame(CLOSE, b"\x03") + frame(FIN, b"\xe8")),
    Violation("A ping of 126 bytes", frame(FIN | PING, bytes(126))),
    Violation("A pong of 126 bytes", frame(FIN | PONG, bytes(126))),
    Violation("A close frame of 126 bytes", close_frame(1000, "a" * 124)),
    Violation("A ping of 64 KiB", frame(FIN | PING, bytes(1 << 16)), (1002, 1009)),
    Violation("A last continuation of nothing", frame(FIN | CONTINUATION, PING_ACTION)),
    Violation("A continuation of nothing", frame(CONTINUATION)),
    Violation("A message within a message", frame(TEXT, b"{") + REQUEST),
    Violation("A fragment of another message", frame(TEXT, b"{") + frame(TEXT, b"{")),
    Violation("A binary message within one", frame(TEXT) + frame(FIN | BINARY), (1002, 1003)),
    Violation("A binary message in fragments", frame(BINARY, b"a") + frame(FIN), (1003,)),
    Violation("An empty binary message", frame(FIN | BINARY), (1003,)),
    Violation("A byte that UTF-8 does not have", frame(FIN | TEXT, b'"\xff"'), (1007,)),
    Violation("An overlong character", frame(FIN | TEXT, b'"\xc0\xaf"'), (1007,)),
    Violation("Half a surrogate pair", frame(FIN | TEXT, b'"\xed\xa0\x80"'), (1007,)),
    Violation("A character beyond Unicode", frame(FIN | TEXT, b'"\xf4\x90\x80\x80"'), (1007,)),
    Violation("Half a character at the end", frame(FIN | TEXT, b'"\xf0\x9f'), (1007,)),
    Violation("Half a character in two fragments", fragments(b'"\xf0', b'\x9f"'), (1007,)),
    Violation("Wrong UTF-8 in the second fragment", fragments(b'"a', b'\xff"'), (1007,)),
    Violation("Wrong UTF-8 before the last fragment", fragments(b"\xff", b"a", b"b"), (1007,)),
    Violation("Wrong UTF-8 in a close frame", close_frame(1000, b"a\xff"), (1002, 1007)),
    Violation("Half a character in a close frame", close_frame(1000, b"\xc3"), (1002, 1007)),
    Violation("A close frame of one byte", frame(FIN | CLOSE, b"\x03")),
    *(
        Violation(f"A close frame with the code {code}", close_frame(code))
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    ),
    Violation(
        "A message of 16,385 bytes in two fragments", fragments(bytes(MESSAGE_BYTES), b"a"), (1009,)
    ),
    Violation("A message of 200 small fragments", frame(TEXT) + frame(0, b"a" * 99) * 200, (1009,)),
    *(
        Violation(
            f"A header alone that announces {what}", frame(FIN | TEXT, announced=length), codes
        )
        for what, length, codes in (
            ("16,385 bytes", MESSAGE_BYTES + 1, (1009,)),
            ("2^32 bytes", 1 << 32, (1009,)),
            ("2^63-1 bytes", (1 << 63) - 1, (1002, 1009)),
            ("2^63 bytes", 1 << 63, (1002, 1009)),
            ("2^64-1 bytes", (1 << 64) - 1, (1002, 1009)),
        )
    ),
    Violation(
        "A wrong frame with good ones after it",
        frame(FIN | CONTINUATION) + REQUEST + frame(FIN | PING, b"a") + close_frame(1000),
    ),
    Violation(
        "A wrong header with good frames after it",
        frame(PING) + REQUEST + frame(FIN | PING, b"a") + close_frame(1000),
    ),
    Violation("4,096 requests at once", REQUEST * 4096, (1008,)),
)


async def is_shown_out(daemon: Daemon, violation: Violation) -> None:
    async with session(Wire, daemon) as wire:
        await wire.plain.write(violation.data)
        code = await wire.closed()
    same("the close code", code, *violation.codes)


# --- Goodbyes (RFC 6455, section 7) ---


@dataclass(frozen=True)
class Goodbye:
    """Bytes with which a client leaves, and the close codes that may answer."""

    what: str
    data: bytes
    codes: tuple[int, ...]


GOODBYES = (
    # 1014 is registered, too, but wsproto does not know it.
    *(
        Goodbye(f"A close frame with {code}", close_frame(code), (code,))
        for code in (*range(1000, 1004), *range(1007, 1014), 3000, 3999, 4000, 4999)
    ),
    # 1005 stands for an answer without a code (section 7.1.5).
    Goodbye("A close frame without a code", frame(FIN | CLOSE), (1000, 1005)),
    Goodbye("A close frame of 125 bytes", close_frame(1000, "é" * 61 + "e"), (1000,)),
    Goodbye("A close frame amid a message", frame(TEXT, b"{") + close_frame(1000), (1000,)),
    Goodbye("A close frame with a request after it", close_frame(1000) + REQUEST, (1000,)),
    Goodbye("A close frame with a ping after it", close_frame(1000) + frame(FIN | PING), (1000,)),
    Goodbye("A close frame with another", close_frame(1000) + close_frame(1001), (1000,)),
    Goodbye("A close frame with nonsense after it", close_frame(1000) + b"\xff" * 999, (1000,)),
)


async def is_seen_off(daemon: Daemon, goodbye: Goodbye) -> None:
    async with session(Wire, daemon) as wire:
        await wire.plain.write(goodbye.data)
        code = await wire.closed(is_answered=False)
        same("whether the connection was reset", wire.plain.was_reset, False)
    same("the code of the answer", code, *goodbye.codes)


async def silence_is_no_answer(daemon: Daemon) -> None:
    async with session(Wire, daemon) as wire:
        await wire.plain.write(frame(FIN | BINARY))
        same("the close code", await wire.closed(is_answered=False), 1003)


async def slow_sender_is_told(daemon: Daemon) -> None:
    """Who needs seconds for a message that is refused at its header still sees why."""
    async with session(Wire, daemon) as wire:
        await wire.plain.write(frame(FIN | TEXT, bytes(1024), announced=8 << 20))
        for _ in range(6):
            await asyncio.sleep(0.5)
            await wire.plain.write(bytes(1 << 16))
        same("the close code", await wire.closed(is_answered=False), 1009)
        same("whether the connection was reset", wire.plain.was_reset, False)


# --- Requests for a connection, made by hand (RFC 6455, section 4) ---


@dataclass(frozen=True)
class Asking:
    """A good handshake, but for what is said here."""

    what: str
    line: str = "GET /ws/ws HTTP/1.1"
    without: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (101,)

    def request(self, daemon: Daemon) -> bytes:
        headers = (
            "Host: {authority}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Authorization: Bearer {token}",
        )
        kept = [header for header in headers if header.split(":")[0] not in self.without]
        lines = "\r\n".join((self.line, *kept, *self.extra, "", ""))
        return lines.format(authority=daemon.authority, token=daemon.token).encode()


PLAINEST = Asking("as it should be")
TOKENLESS = Asking("without a token", without=("Authorization",), statuses=(401,))
VERSION_8 = Asking(
    "with the version 8",
    without=("Sec-WebSocket-Version",),
    extra=("Sec-WebSocket-Version: 8",),
    statuses=(400, 426),
)
ASKINGS = (
    Asking(
        "with keep-alive in Connection",
        without=("Connection",),
        extra=("Connection: keep-alive, Upgrade",),
    ),
    Asking(
        "in other cases of letters",
        without=("Connection", "Upgrade", "Authorization"),
        extra=("connection: UPGRADE", "upgrade: WebSocket", "authorization: BEARER {token}"),
    ),
    Asking(
        "with bearer and the token in two headers",
        without=("Authorization",),
        extra=("Sec-WebSocket-Protocol: bearer", "Sec-WebSocket-Protocol: {token}"),
    ),
    Asking(
        "with a tab before the token among the subprotocols",
        without=("Authorization",),
        extra=("Sec-WebSocket-Protocol: bearer,\t{token}",),
    ),
    Asking(
        "that offers extensions nobody knows",
        extra=('Sec-WebSocket-Extensions: foo; bar="a, b", permessage-deflate, x-y',),
    ),
    Asking("over HTTP/1.0", line="GET /ws/ws HTTP/1.0", statuses=(400, 426, 505)),
    Asking("by POST", line="POST /ws/ws HTTP/1.1", statuses=(400, 405)),
    Asking("without Host", without=("Host",), statuses=(400,)),
    Asking("without Upgrade", without=("Upgrade",), statuses=(400, 426)),
    Asking("without Connection", without=("Connection",), statuses=(400, 426)),
    Asking("without a version", without=("Sec-WebSocket-Version",), statuses=(400, 426)),
    Asking("without a key", without=("Sec-WebSocket-Key",), statuses=(400, 426)),
    Asking(
        "with two keys", extra=("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",), statuses=(400, 426)
    ),
    *(
        Asking(
            f"with a key {what}",
            without=("Sec-WebSocket-Key",),
            extra=(f"Sec-WebSocket-Key: {key}",),
            statuses=(400, 426),
        )
        for what, key in (
            ("of 3 bytes", "YWJj"),
            ("of 17 bytes", "dGhlIHNhbXBsZSBub25jZSE="),
            ("that is not Base64", "!!!!!!!!!!!!!!!!!!!!!!=="),
        )
    ),
)


@asynccontextmanager
async def plain_connection(daemon: Daemon) -> AsyncIterator[Plain]:
    plain = await Plain.open(daemon)
    try:
        yield plain
    finally:
        plain.drop()


async def is_answered(daemon: Daemon, asking: Asking) -> None:
    async with plain_connection(daemon) as plain:
        await plain.write(asking.request(daemon))
        answer = await plain.read_answer()
        same("the status", answer.status, *asking.statuses)
        if answer.status == 101:
            accept = answer.headers["Sec-WebSocket-Accept"]
            same("the answer to the key", accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            same("the extensions", answer.headers["Sec-WebSocket-Extensions"], None)


async def versions_are_named(daemon: Daemon) -> None:
    async with plain_connection(daemon) as plain:
        await plain.write(VERSION_8.request(daemon))
        answer = await plain.read_answer()
        same("the status", answer.status, *VERSION_8.statuses)
        same("Sec-WebSocket-Version", answer.headers["Sec-WebSocket-Version"], "13")


HEALTH = Asking("for the health", "GET /healthz HTTP/1.1", without=("Upgrade", "Connection"))
OFFERS = (
    TOKENLESS,
    VERSION_8,
    Asking("where there is no WebSocket", line="GET /nothing HTTP/1.1", statuses=(404,)),
    Asking(
        "that is one for h2c",
        line="GET /healthz HTTP/1.1",
        without=("Upgrade",),
        extra=("Upgrade: h2c",),
        statuses=(200,),
    ),
)


async def connection_goes_on(daemon: Daemon, asking: Asking) -> None:
    """Or it ends; but it must not lie there deaf."""
    async with plain_connection(daemon) as plain:
        await plain.write(asking.request(daemon))
        same("the status", (await plain.read_answer()).status, *asking.statuses)
        await plain.write(HEALTH.request(daemon))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                next_bytes = await plain.read()
        except TimeoutError:
            raise Failure("the next request is not answered, nor the connection ended") from None
        is_well = not next_bytes or next_bytes.startswith(b"HTTP/1.1 200 ")
        expect(is_well, f"the next request is answered with {next_bytes!r}")


async def is_accepted(wire: Wire) -> None:
    await wire.accepted()
    await wire.next("connection_status")
    await wire.check()


async def connection_is_upgraded_later(daemon: Daemon) -> None:
    wire = Wire(await Plain.open(daemon))
    try:
        for _ in range(2):
            await wire.plain.write(HEALTH.request(daemon))
            same("the status", (await wire.plain.read_answer()).status, 200)
        await wire.plain.write(wire.request(daemon, daemon.handshake))
        await is_accepted(wire)
    finally:
        wire.drop()


async def asks_bytewise(daemon: Daemon) -> None:
    wire = Wire(await Plain.open(daemon))
    try:
        await wire.plain.write_bytewise(wire.request(daemon, daemon.handshake))
        await is_accepted(wire)
    finally:
        wire.drop()


@dataclass(frozen=True)
class Early:
    """Bytes in one segment with the handshake, and what comes of them."""

    what: str
    data: bytes
    pongs: int = 0
    code: int | None = None
    later: bytes = b""


EARLY = (
    Early("A request", REQUEST, pongs=1),
    Early("Sixty-four requests", REQUEST * 64, pongs=64),
    Early("Half a request", REQUEST[:9], pongs=1, later=REQUEST[9:]),
    Early("The first byte of a request", REQUEST[:1], pongs=1, later=REQUEST[1:]),
    Early("A message of 16,384 bytes", frame(FIN | TEXT, PING_ACTION.ljust(MESSAGE_BYTES)), 1),
    Early("A close frame", close_frame(1000), code=1000),
    Early("A wrong frame", frame(FIN | CONTINUATION), code=1002),
    Early("Binary data", frame(FIN | BINARY), code=1003),
)


async def is_heeded(daemon: Daemon, early: Early) -> None:
    wire = Wire(await Plain.open(daemon))
    try:
        await wire.plain.write(wire.request(daemon, daemon.handshake) + early.data)
        await wire.accepted()
        await wire.plain.write(early.later)
        if early.code is None:
            await wire.next("connection_status")
        for _ in range(early.pongs):
            await wire.next("pong")
        if early.code is not None:
            same("the close code", await wire.closed(after_messages=True), early.code)
    finally:
        wire.drop()


# --- Connections that break ---


LAST_WORDS = {
    "while idle": b"",
    "within a header": REQUEST[:1],
    "within a payload": REQUEST[:-3],
    "within a message": frame(TEXT, b"{"),
    "after a request": REQUEST,
}
# How much of the handshake is said.
SILENCES = {"before the handshake": 0, "within it": 60, "after it": None}


async def ends_sending(daemon: Daemon, last_words: bytes) -> None:
    async with session(Wire, daemon) as wire:
        await wire.plain.write(last_words)
        wire.plain.end_sending()
        while await wire.plain.read():
            pass


async def ends_sending_after_goodbye(daemon: Daemon) -> None:
    async with session(Wire, daemon) as wire:
        await wire.plain.write(close_frame(1001))
        wire.plain.end_sending()
        same("the code of the answer", await wire.closed(is_answered=False), 1001)


async def resets(daemon: Daemon, last_words: bytes) -> None:
    async with session(Wire, daemon) as wire:
        await wire.plain.write(last_words)
        wire.plain.reset()


async def resets_at_once(daemon: Daemon) -> None:
    for length in (0, 20, 1000):
        plain = await Plain.open(daemon)
        await plain.write(PLAINEST.request(daemon)[:length])
        plain.reset()


async def falls_silent(daemon: Daemon, length: int | None) -> None:
    """Others are served while connections say nothing more, nor read."""
    async with AsyncExitStack() as stack:
        for _ in range(20):
            plain = await stack.enter_async_context(plain_connection(daemon))
            await plain.write(PLAINEST.request(daemon)[:length])
        for kind in PEERS:
            async with session(kind, daemon) as peer:
                await peer.check()


async def reads_nothing(daemon: Daemon) -> None:
    """It must be held back, or shown out; its answers must not pile up in the daemon."""
    pings = frame(FIN | PING, bytes(125)) * 500
    async with session(Wire, daemon) as wire:
        # The kernel keeps few of the answers for us: what is not read is the daemon's soon.
        wire.plain.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        sent = 0
        while sent < UNREAD_BYTES:
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    if not await wire.plain.write(pings):
                        return
            except TimeoutError:
                async with session(WebsocketsPeer, daemon) as peer:
                    await peer.check()
                return
            sent += len(pings)
    raise Failure(f"{sent >> 20} MiB of pings were taken, and no answer was read")


# --- Many at once ---


async def notices(peer: Peer, last_event: str) -> Counter[tuple[str, str]]:
    """Returns what is told until an answer after the last event."""
    told: Counter[tuple[str, str]] = Counter()
    events: set[str] = set()
    while last_event not in events:
        notice = await peer.next("notification")
        events.add(notice["event"]["id"])
        told[notice["notification_id"], notice["event"]["id"]] += 1
    await peer.ask("ping")
    while (message := json.loads(await peer.receive()))["type"] != "pong":
        told[message["notification_id"], message["event"]["id"]] += 1
    return told


async def all_are_told_once(daemon: Daemon) -> None:
    async with AsyncExitStack() as stack:
        joining = (session(WebsocketsPeer, daemon) for _ in range(CLIENTS))
        peers = await asyncio.gather(*map(stack.enter_async_context, joining))
        events = [(await daemon.create_event())["event_id"] for _ in range(2)]
        told = await asyncio.gather(*(notices(peer, events[-1]) for peer in peers))
    for one in told:
        same("what one client is told", one, told[0])
    same("how often each is told", [*told[0].values()], [1, 1])
    same("which events are told", [event for _, event in told[0]], events)


# --- All of it ---


@dataclass(frozen=True)
class Case:
    sentence: str
    check: Callable[[], Awaitable[None]]
    seconds: float = CASE_SECONDS


def case(sentence: str, check: Callable[..., Awaitable[None]], *arguments: object) -> Case:
    return Case(sentence, partial(check, *arguments))


def one_of(values: tuple[int, ...]) -> str:
    return " or ".join(map(str, values))


def cases(daemon: Daemon, bystander: Peer) -> Iterator[Case]:
    for kind in PEERS:
        name = kind.library
        for place, entrance in ENTRANCES.items():
            good = entrance("/ws/ws", daemon.token)
            yield case(f"{name} gets in with the token {place}", gets_in, daemon, kind, good)
            bad = entrance("/ws/ws", "bad.bad.bad")
            yield case(f"{name} is refused with a bad token {place}", is_refused, daemon, kind, bad)
        nothing = Handshake()
        yield case(f"{name} is refused without a token", is_refused, daemon, kind, nothing)
        for sentence, conversation in CONVERSATIONS.items():
            yield case(f"{name} {sentence}", converses, daemon, kind, conversation)
        sentence = f"{name} offers permessage-deflate, is declined, and talks on"
        yield case(sentence, compression_is_declined, daemon, kind)
    for path in PATHS:
        good = Handshake(path, headers=daemon.handshake.headers)
        yield case(f"All libraries get in at {path}", each_library, gets_in, daemon, good)
        bad = Handshake(path)
        yield case(
            f"No library gets in at {path} without a token", each_library, is_refused, daemon, bad
        )

    for message in GOOD:
        yield case(f"A message {message.what} is understood", is_understood, daemon, message)
    for violation in VIOLATIONS:
        sentence = f"{violation.what} is answered by closing with {one_of(violation.codes)}"
        yield case(sentence, is_shown_out, daemon, violation)
    for goodbye in GOODBYES:
        sentence = f"{goodbye.what} is answered with {one_of(goodbye.codes)}"
        yield case(sentence, is_seen_off, daemon, goodbye)
    sentence = "Who does not answer the daemon's close frame is disconnected all the same"
    yield case(sentence, silence_is_no_answer, daemon)
    sentence = "A client that is still sending when the daemon closes the connection receives the reason"
    yield case(sentence, slow_sender_is_told, daemon)

    for asking in ASKINGS:
        sentence = f"A handshake {asking.what} is answered with {one_of(asking.statuses)}"
        yield case(sentence, is_answered, daemon, asking)
    sentence = "A handshake with another version is told the right one"
    yield case(sentence, versions_are_named, daemon)
    for asking in OFFERS:
        sentence = f"After a handshake {asking.what} the next request is answered, or it all ends"
        yield case(sentence, connection_goes_on, daemon, asking)
    sentence = "A handshake may follow other requests on its connection"
    yield case(sentence, connection_is_upgraded_later, daemon)
    yield case("A handshake may come byte by byte", asks_bytewise, daemon)
    for early in EARLY:
        sentence = f"{early.what} in one segment with the handshake is heeded"
        yield case(sentence, is_heeded, daemon, early)

    for what, words in LAST_WORDS.items():
        sentence = f"Who ends sending {what} is disconnected"
        yield case(sentence, ends_sending, daemon, words)
        yield case(f"Who resets {what} does no harm", resets, daemon, words)
    sentence = "Who ends sending after a close frame gets the answer"
    yield case(sentence, ends_sending_after_goodbye, daemon)
    yield case("Who resets amid the handshake does no harm", resets_at_once, daemon)
    for what, length in SILENCES.items():
        yield case(f"Who falls silent {what} holds nobody up", falls_silent, daemon, length)
    sentence = "Who pings on and reads nothing is held back or shown out"
    yield Case(sentence, partial(reads_nothing, daemon), seconds=2 * CASE_SECONDS)

    sentence = f"{CLIENTS} clients are told of a new event, each once"
    yield case(sentence, all_are_told_once, daemon)
    yield case("A bystander has come through all of this", bystander.check)


async def trouble(daemon: Daemon, tried: Case) -> str | None:
    """Returns what is wrong, as YAML; None where all is well."""
    try:
        async with asyncio.timeout(tried.seconds):
            await tried.check()
            # Nor has it done harm to anybody else.
            async with session(WebsocketsPeer, daemon) as peer:
                await peer.check()
    except Exception as error:
        is_late = isinstance(error, TimeoutError)
        words = f"no end after {tried.seconds:g} s" if is_late else described(error)
        # A time-out's cause knows what was waited for.
        steps = traceback.extract_tb(((is_late and error.__cause__) or error).__traceback__)
        way = [f"{step.name}:{step.lineno}" for step in steps if step.filename == __file__]
        return f"  ---\n  message: {json.dumps(words)}\n  at: {json.dumps(' > '.join(way))}\n  ..."
    return None


def described(error: Exception) -> str:
    return str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"


async def run(daemon: Daemon) -> bool:
    is_well = True
    try:
        async with asyncio.timeout(ALL_SECONDS), session(WebsocketsPeer, daemon) as bystander:
            all_cases = list(cases(daemon, bystander))
            print(f"1..{len(all_cases)}", flush=True)
            for number, tried in enumerate(all_cases, start=1):
                wrong = await trouble(daemon, tried)
                print(f"{'not ok' if wrong else 'ok'} {number} - {tried.sentence}")
                if wrong:
                    is_well = False
                    print(wrong)
                sys.stdout.flush()
    except TimeoutError:
        print(f"Bail out! There is no end after {ALL_SECONDS:g} s")
        return False
    except Exception as error:
        print(f"Bail out! {described(error)}")
        return False
    return is_well


def main() -> int:
    token = os.environ.get("TOKEN", "")
    if len(sys.argv) != 2 or not sys.argv[1].startswith("http://") or not token:
        print("usage: TOKEN=… python websocket_clients.py http://HOST:PORT", file=sys.stderr)
        return 64
    print("TAP version 14", flush=True)
    try:
        daemon = Daemon(sys.argv[1], token)
    except OSError as error:
        print(f"Bail out! {sys.argv[1]} does not take the token: {error}")
        return 1
    return 0 if asyncio.run(run(daemon)) else 1


if __name__ == "__main__":
    sys.exit(main())
