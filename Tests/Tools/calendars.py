"""Checks the import and export of calendars and tables with programs that are not ems's own.

    EMS_DATA_DIR=$(mktemp -d) python calendars.py /path/to/ems

The store is the one of the environment. The icalendar library, khal, Python's csv and sqlite3
read what `ems event export` writes, and write what `ems event import` reads; calendars in the
ways of Google, Outlook, Exchange, Apple and Thunderbird are made by hand. What comes out is TAP
version 14; the exit status is 0 where all is well, 1 where something is wrong, 64 for a wrong
call. Some events are left behind; it may run again on the same store.
"""

import csv
import io
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar

COMMAND_SECONDS = 60.0
# A line of iCalendar without its end (RFC 5545, section 3.1).
LINE_OCTETS = 75
ZONES = ("Europe/Vienna", "America/New_York", "Australia/Lord_Howe")
VIENNA = ZoneInfo("Europe/Vienna")
YEAR = 2040
# khal's pytz knows of no change of clocks after 2037.
KHAL_YEAR = 2036
FLOAT = re.compile(r"[+-]?\d+(\.\d+)?;[+-]?\d+(\.\d+)?")
ONCE = {
    *("DTSTAMP", "UID", "DTSTART", "DTEND", "DURATION", "CLASS", "CREATED", "DESCRIPTION", "GEO"),
    *("LAST-MODIFIED", "LOCATION", "ORGANIZER", "PRIORITY", "SEQUENCE", "STATUS", "SUMMARY"),
    *("TRANSP", "URL", "RECURRENCE-ID"),
}
NEEDED = ("UID", "DTSTAMP", "DTSTART", "SUMMARY", "STATUS", "SEQUENCE")
STATUSES = {
    "scheduled": ("CONFIRMED", "TENTATIVE"),
    "canceled": ("CANCELLED",),
    "completed": ("CONFIRMED",),
}
# What of a VEVENT has a field in an event, or is made anew. All else must be kept.
OWN = {
    *("UID", "SEQUENCE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SUMMARY", "DESCRIPTION"),
    *("LOCATION", "DTSTART", "DTEND", "DURATION", "STATUS", "CATEGORIES", "GEO"),
}

Record = dict[str, Any]
# Of icalendar, whose properties are of many types.
Component = Any


class Failure(Exception):
    """What a case found to be wrong, in words."""


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failure(otherwise)


def same(what: str, found: object, *expected: object) -> None:
    wanted = " or ".join(repr(value) for value in expected)
    expect(found in expected, f"{what} is {found!r}, not {wanted}")


# --- Times ---


def moment(text: str) -> datetime:
    """Reads `2040-07-01T09:00:00Z`, with or without a fraction."""
    return datetime.fromisoformat(text).astimezone(UTC)


def written(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def instant(value: date, zone: ZoneInfo) -> datetime:
    """The moment of what icalendar has read: dates and floating times are those of the zone."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The moments of the year at which clocks are changed."""
    minutes = 365 * 24 * 60
    found: list[datetime] = []
    begin = datetime(year, 1, 1, tzinfo=UTC)

    def offset(minute: int) -> timedelta | None:
        return (begin + timedelta(minutes=minute)).astimezone(zone).utcoffset()

    step = 24 * 60
    for day in range(0, minutes, step):
        low, high = day, day + step
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append(begin + timedelta(minutes=high))
    return found


def is_told_once(when: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of the zone show this moment's time at no other moment."""
    clock = when.astimezone(zone).replace(tzinfo=None)
    both = {clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return both == {when}


# --- Running ems, and other programs ---


@dataclass(frozen=True)
class Ran:
    status: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        """What was said on stderr."""
        return self.err.splitlines()


def run(*command: str | Path, stdin: bytes = b"", cwd: Path, environment: Mapping[str, str]) -> Ran:
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


@dataclass(frozen=True)
class Counts:
    """The last words of an import."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return (
            f"created {self.created}, updated {self.updated}, "
            f"skipped {self.skipped}, failed {self.failed}"
        )

    @property
    def status(self) -> int:
        if not self.failed:
            return 0
        return 3 if self.created + self.updated + self.skipped else 65


class Store:
    """What ems has in the store of the environment, by way of the binary alone."""

    def __init__(self, ems: str, directory: Path) -> None:
        self.directory = directory
        # In what is made here, so that it can be told from what was there before.
        self.run_name = secrets.token_hex(4)
        self._ems = str(Path(ems).absolute())

    def write(self, name: str, content: bytes) -> str:
        (self.directory / name).write_bytes(content)
        return name

    def ems(self, *arguments: str, stdin: bytes = b"") -> Ran:
        return run(self._ems, *arguments, stdin=stdin, cwd=self.directory, environment=os.environ)

    def imports(
        self,
        file: str,
        counts: Counts,
        *options: str,
        stdin: bytes = b"",
        faults: Mapping[int, str] | None = None,
    ) -> None:
        """Imports a file, where `faults` has a word of the reason for the line of each bad row."""
        ran = self.ems("event", "import", file, *options, stdin=stdin)
        told = "; ".join(ran.lines)
        expect(str(counts) in ran.lines, f"stderr does not say '{counts}', but: {told}")
        same("the exit status", ran.status, counts.status)
        name = "stdin" if file == "-" else file
        rows = re.findall(rf"^{re.escape(name)}:(\d+): (.+)$", ran.err, re.MULTILINE)
        reasons = {int(line): reason for line, reason in rows}
        wanted = faults or {}
        same("the count of bad rows told", len(rows), counts.failed)
        same("the lines of the bad rows", sorted(reasons), sorted(wanted))
        for line, word in wanted.items():
            reason = reasons[line]
            expect(word.lower() in reason.lower(), f"line {line}: no '{word}' in '{reason}'")

    def export(self, *options: str) -> bytes:
        ran = self.ems("event", "export", *options)
        same("the exit status of the export", ran.status, 0)
        return ran.out

    def records(self) -> list[Record]:
        return [json.loads(line) for line in self.export().splitlines()]

    def titled(self, title: str) -> Record:
        found = [record for record in self.records() if record["title"] == title]
        same(f"how many events are called {title!r}", len(found), 1)
        return found[0]

    def by_uid(self, uid: str, records: Iterable[Record] | None = None) -> Record:
        every = self.records() if records is None else records
        found = [record for record in every if is_named(record, uid)]
        same(f"how many events have the UID {uid}", len(found), 1)
        return found[0]

    def calendar(self, *options: str) -> Component:
        return strictly_read(self.export("--format", "ics", *options))


def is_named(record: Record, uid: str) -> bool:
    external = record.get("external_id")
    return uid == external if external else uid.startswith(record["event_id"])


def compare(record: Record, wanted: Record) -> None:
    """The fields of a record that are named are as wanted; times are moments."""
    for name, value in wanted.items():
        found = record.get(name)
        if name in ("start_time", "end_time"):
            found = found and moment(found)
            value = moment(value)
        same(f"{name} of {record['title']!r}", found, value)


# --- iCalendar ---


def strictly_read(data: bytes) -> Component:
    calendar: Component = icalendar.Calendar.from_ical(data)
    calendar.validate()
    for component in calendar.walk():
        expect(not component.errors, f"icalendar, of {component.name}: {component.errors}")
    return calendar


def unfolded(data: bytes) -> list[str]:
    return re.sub(rb"\r?\n[ \t]", b"", data).decode().splitlines()


def name_of(line: str) -> str:
    return re.split("[;:]", line, maxsplit=1)[0].upper()


def components(lines: Iterable[str], kind: str = "VEVENT") -> Iterator[list[str]]:
    """What stands between each BEGIN of the kind and its END."""
    inside: list[str] | None = None
    for line in lines:
        if line.upper() == f"BEGIN:{kind}":
            inside = []
        elif line.upper() == f"END:{kind}" and inside is not None:
            yield inside
            inside = None
        elif inside is not None:
            inside.append(line)


def top(lines: Iterable[str]) -> Iterator[str]:
    """Without the components inside."""
    depth = 0
    for line in lines:
        depth += name_of(line) == "BEGIN"
        if not depth:
            yield line
        depth -= name_of(line) == "END"


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "N": "\n"}.get(found[1], found[1]), text)


def uid_of(lines: Iterable[str]) -> str:
    line = next((line for line in top(lines) if name_of(line) == "UID"), "UID:")
    return unescaped(line.partition(":")[2])


def kept(lines: Iterable[str]) -> dict[str, list[str]]:
    """What of an event has no field of ours, by name; those of a name in their order.

    Components inside are kept whole, with an empty name.
    """
    depth = 0
    found: dict[str, list[str]] = {}
    for line in lines:
        depth += name_of(line) == "BEGIN"
        if depth:
            found.setdefault("", []).append(line)
        elif name_of(line) not in OWN:
            found.setdefault(name_of(line), []).append(line)
        depth -= name_of(line) == "END"
    return found


def folded(text: str, mark: str = " ", width: int = LINE_OCTETS, end: str = "\r\n") -> bytes:
    """Lines as they are sent. With a width of its own, characters are torn apart, as some do."""
    result = bytearray()
    for line in text.strip("\n").split("\n"):
        rest = line.encode()
        room = width
        while len(rest) > room:
            cut = room
            while width == LINE_OCTETS and rest[cut] & 0xC0 == 0x80:
                cut -= 1
            result += rest[:cut] + f"{end}{mark}".encode()
            rest = rest[cut:]
            room = width - 1
        result += rest + end.encode()
    return bytes(result)


def each_line_is_well(store: Store, *options: str) -> None:
    data = store.export("--format", "ics", *options)
    expect(data.endswith(b"\r\n"), "the last line does not end with CRLF")
    lines = data.split(b"\r\n")[:-1]
    for number, line in enumerate(lines, start=1):
        expect(b"\n" not in line and b"\r" not in line, f"line {number} ends otherwise than CRLF")
        expect(len(line) <= LINE_OCTETS, f"line {number} has {len(line)} octets")
        expect(line.strip() != b"", f"line {number} is empty")
        # No character is torn apart.
        text = line.decode()
        controls = [mark for mark in text if (mark < " " and mark != "\t") or mark == "\x7f"]
        expect(not controls, f"line {number} has control characters")
    long = [line for line in lines if line.startswith(b" ")]
    expect(len(long) > 0, "nothing is folded")


def each_event_is_whole(store: Store, *options: str) -> None:
    data = store.export("--format", "ics", *options)
    uids: Counter[str] = Counter()
    for lines in components(unfolded(data)):
        names = Counter(name_of(line) for line in top(lines))
        uid = uid_of(lines)
        uids[uid] += 1
        for name in NEEDED:
            same(f"how many {name} {uid} has", names[name], 1)
        # What came without an end, being a day, may go back so.
        is_day = len(property_value(lines, "DTSTART")) == len("20400101")
        ends = names["DTEND"] + names["DURATION"]
        same(f"how many ends {uid} has", ends, *((0, 1) if is_day else (1,)))
        for name in ONCE & names.keys():
            same(f"how many {name} {uid} has", names[name], 1)
        for line in top(lines):
            if name_of(line) == "GEO":
                value = line.partition(":")[2]
                expect(FLOAT.fullmatch(value) is not None, f"GEO is no pair of floats: {value}")
    same("how often the most frequent UID comes", uids.most_common(1)[0][1], 1)
    calendar = strictly_read(data)
    defined = {str(definition["TZID"]) for definition in calendar.walk("VTIMEZONE")}
    used = {
        str(value.params["TZID"])
        for component in calendar.walk("VEVENT")
        for value in component.values()
        if "TZID" in getattr(value, "params", {})
    }
    same("which zones are used without being defined", used - defined, set())


def each_value_is_the_same(store: Store, *options: str) -> None:
    """icalendar reads in the calendar what stands in jsonl."""
    zone = ZoneInfo(options[-1] if options else "UTC")
    calendar = store.calendar(*options)
    records = store.records()
    events = {str(event["UID"]): event for event in calendar.walk("VEVENT")}
    same("the count of events", len(events), len(records))
    for record in records:
        uid = next((uid for uid in events if is_named(record, uid)), None)
        if uid is None:
            raise Failure(f"{record['title']!r} is missing")
        has_same_values(events[uid], record, zone)


def has_same_values(event: Component, record: Record, zone: ZoneInfo) -> None:
    of = f"of {record['title']!r}"
    same(f"SUMMARY {of}", str(event["SUMMARY"]), record["title"])
    description = record["description"].replace("\r\n", "\n")
    same(f"DESCRIPTION {of}", str(event.get("DESCRIPTION", "")), description)
    same(f"LOCATION {of}", str(event.get("LOCATION", "")), record["location"])
    same(f"STATUS {of}", str(event["STATUS"]), *STATUSES[record["status"]])
    categories = event.get("CATEGORIES", [])
    groups = categories if isinstance(categories, list) else [categories]
    same(f"CATEGORIES {of}", [str(tag) for group in groups for tag in group.cats], record["tags"])
    place = record["coordinates"]
    geo = event.get("GEO")
    found = geo and {"latitude": geo.latitude, "longitude": geo.longitude}
    same(f"GEO {of}", found, place)
    expect(int(event["SEQUENCE"]) >= 0, f"SEQUENCE {of} is negative")
    starts, ends = (
        moment(record[name]).replace(microsecond=0) for name in ("start_time", "end_time")
    )
    start = event["DTSTART"].dt
    same(f"DTSTART {of}", instant(start, zone), starts)
    if "DTEND" in event:
        same(f"DTEND {of}", instant(event["DTEND"].dt, zone), ends)
    elif "DURATION" not in event:
        same(f"the end {of}", instant(start + timedelta(days=1), zone), ends)
    else:
        # Python does not tell a day of the calendar from 24 hours.
        length = abs(starts + event["DURATION"].dt - ends)
        expect(length <= timedelta(hours=1), f"DURATION {of} is {length} wrong")


def times_name_the_zone(store: Store, name: str) -> None:
    """And they are the right ones, whether read by the zone's name or by its definition."""
    zone = ZoneInfo(name)
    data = store.export("--format", "ics", "--time-zone", name)
    definitions = [
        definition
        for definition in strictly_read(data).walk("VTIMEZONE")
        if str(definition["TZID"]) == name
    ]
    same(f"how many definitions of {name} there are", len(definitions), 1)
    own_zone = definitions[0].to_tz(lookup_tzid=False)
    by_title = {record["title"]: record for record in store.records()}
    count = 0
    for lines in components(unfolded(data)):
        record = by_title[unescaped(property_value(lines, "SUMMARY"))]
        if store.run_name not in record["title"] or "external_id" in record:
            continue
        count += 1
        times = {"DTSTART": moment(record["start_time"]), "DTEND": moment(record["end_time"])}
        is_clear = all(is_told_once(when, zone) for when in times.values())
        for property_name, when in times.items():
            line = next(line for line in top(lines) if name_of(line) == property_name)
            what = f"{line!r} of {record['title']!r}"
            parameters, _, value = line.partition(":")
            if value.endswith("Z") and not is_clear:
                # What clocks show twice can be told apart in UTC only.
                same(what, datetime.strptime(value, "%Y%m%dT%H%M%S%z"), when)
                continue
            same(f"what names {what}", parameters, f"{property_name};TZID={name}")
            clock = datetime.strptime(value, "%Y%m%dT%H%M%S")
            same(f"{what}, by name", clock.replace(tzinfo=zone).astimezone(UTC), when)
            same(f"{what}, by definition", clock.replace(tzinfo=own_zone).astimezone(UTC), when)
    expect(count >= len(EVENTS), f"only {count} events were found")


def property_value(lines: Iterable[str], name: str) -> str:
    return next((line.partition(":")[2] for line in top(lines) if name_of(line) == name), "")


# --- What is exported ---


def event(title: str, start: datetime, minutes: float = 45, **others: Any) -> Record:
    end = start + timedelta(minutes=minutes)
    return {
        "title": title,
        "description": "",
        "location": "",
        "start_time": written(start),
        "end_time": written(end),
        **others,
    }


WINTER = datetime(YEAR, 1, 15, 9, tzinfo=UTC)
SUMMER = datetime(YEAR, 7, 15, 9, tzinfo=UTC)
EVENTS: tuple[Record, ...] = (
    event("Plain, in winter", WINTER),
    event("In summer", SUMMER),
    event('Commas, semicolons; \\ backslashes, "quotes": and ^carets^', WINTER),
    event(
        "Über 🙂👩‍👩‍👧‍👦 und e\u0301 – 日本語",
        SUMMER,
        description="Eins\nzwei, drei; vier\\\n\n\\n ist keine Zeile\n\tfünf 🙂\n",
        location="Café „Zum Österreicher“; Wien, 1010\\",
        tags=["plain", "with space", "semi;colon", "back\\slash", "größe", "🙂"],
    ),
    # The folds fall at every place within characters of two, three and four octets.
    *(
        event("Folded " + "x" * shift, WINTER, description="x" * shift + "ä日🙂" * 60)
        for shift in range(9)
    ),
    event("As long as it may be", WINTER, description="äöü, " * 2000, location="Ö" * 200),
    event("Ä" * 91, WINTER),
    event("North-east", WINTER, coordinates={"latitude": 48.208174, "longitude": 16.373819}),
    event("South-west", WINTER, coordinates={"latitude": -33.0, "longitude": -70.65}),
    event("Near zero", WINTER, coordinates={"latitude": 0.00001, "longitude": -0.0000025}),
    event("Canceled", SUMMER, status="canceled", max_attendees=12),
    event("Completed", SUMMER, status="completed", max_attendees=1),
    event("With a link", SUMMER, attachment_url="https://example.com/a?b=c,d;e&f=%20"),
    event("Over new year", datetime(YEAR, 12, 31, 22, 30, tzinfo=UTC), 120),
    event("Over half a year", WINTER, 60 * 24 * 180),
)


def near_changes(year: int, zones: Iterable[str]) -> Iterator[Record]:
    """Events that begin and end about the moments at which clocks are changed."""
    for name in zones:
        for change in changes(ZoneInfo(name), year):
            for minutes in (-61, -60, -31, -30, -1, 0, 1, 29, 30, 59, 60, 61):
                start = change + timedelta(minutes=minutes)
                yield event(f"{name} {start:%Y %d %b %H:%M}", start, minutes=30)
            yield event(f"{name} over {change:%Y %b}", change - timedelta(hours=1), minutes=120)


def jsonl(events: Iterable[Record], run_name: str) -> bytes:
    """Each with a title of its own."""
    return "".join(
        json.dumps({**one, "title": f"{one['title']} {run_name}"}, ensure_ascii=False) + "\n"
        for one in events
    ).encode()


def brings_in_events(store: Store) -> None:
    every = [
        *EVENTS,
        *near_changes(YEAR, ZONES),
        *near_changes(KHAL_YEAR, ["Europe/Vienna"]),
        event("khal, in winter", datetime(KHAL_YEAR, 1, 15, 9, tzinfo=UTC), location="Wien, 1"),
        event("khal; im Sommer 🙂", datetime(KHAL_YEAR, 7, 15, 9, tzinfo=UTC), status="canceled"),
    ]
    data = jsonl(every, store.run_name)
    store.imports("-", Counts(created=len(every)), "--format", "jsonl", stdin=data)
    store.imports("-", Counts(skipped=len(every)), "--format", "jsonl", stdin=data)
    by_title = {record["title"]: record for record in store.records()}
    for one in every:
        title = f"{one['title']} {store.run_name}"
        compare(by_title[title], {**one, "title": title})


def own_calendar(store: Store, *options: str) -> tuple[Component, int]:
    """What icalendar makes of the events that are not from elsewhere."""
    mine = [record for record in store.records() if store.run_name in record["title"]]
    calendar = store.calendar(*options)
    chosen = icalendar.Calendar()
    chosen.add("prodid", "-//Somebody//Else//EN")
    chosen.add("version", "2.0")
    count = 0
    for component in calendar.subcomponents:
        if component.name == "VTIMEZONE":
            chosen.add_component(component)
            continue
        uid = str(component["UID"])
        if any("external_id" not in record and is_named(record, uid) for record in mine):
            chosen.add_component(component)
            count += 1
    return chosen, count


def comes_back(store: Store, *options: str) -> None:
    """Written anew by icalendar, and imported to change what differs: nothing does."""
    calendar, count = own_calendar(store, *options)
    expect(count >= len(EVENTS), f"only {count} events were found")
    file = store.write("own.ics", calendar.to_ical())
    store.imports(file, Counts(skipped=count))
    store.imports(file, Counts(skipped=count), "--update")


def older_does_not_win(store: Store) -> None:
    """Our own calendar, as it was before an event was changed here."""
    title = f"Plain, in winter {store.run_name}"
    record = store.titled(title)
    calendar, count = own_calendar(store)
    file = store.write("older.ics", calendar.to_ical())
    ran = store.ems("event", "update", record["event_id"], "--location", "Graz")
    same("the exit status of the update", ran.status, 0)
    store.imports(file, Counts(skipped=count), "--update")
    same("the location", store.titled(title)["location"], "Graz")


def additions_stay(store: Store) -> None:
    """An event of ours, to which another program has added something, comes back with that."""
    title = f"In summer {store.run_name}"
    calendar, _ = own_calendar(store)
    found = next(one for one in calendar.walk("VEVENT") if str(one["SUMMARY"]) == title)
    attendee = icalendar.vCalAddress("mailto:ada@example.com")
    attendee.params["CN"] = "Lovelace, Ada"
    found.add("attendee", attendee)
    found.add("sequence", int(found.pop("SEQUENCE")) + 1)
    calendar.subcomponents = [found]
    file = store.write("added.ics", calendar.to_ical())
    store.imports(file, Counts(updated=1), "--update")
    lines = lines_of(store, str(found["UID"]))
    expected = 'ATTENDEE;CN="Lovelace, Ada":mailto:ada@example.com'
    expect(expected in lines, "the ATTENDEE that was added is gone")


def lines_of(store: Store, uid: str, *options: str) -> list[str]:
    """The lines of an exported event."""
    every = unfolded(store.export("--format", "ics", *options))
    found = [lines for lines in components(every) if uid_of(lines) == uid]
    same(f"how many events with the UID {uid} are exported", len(found), 1)
    return found[0]


# --- What others write ---


@dataclass(frozen=True)
class Calendar:
    """A file as some program writes it, and what it says. RUN in it stands for the run's name."""

    program: str
    text: str
    # By UID.
    events: Mapping[str, Record]
    # By UID, with a word of the reason.
    refused: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    mark: str = " "
    width: int = LINE_OCTETS
    end: str = "\r\n"

    def bytes(self, store: Store) -> bytes:
        return folded(self.text.replace("RUN", store.run_name), self.mark, self.width, self.end)

    def file(self, store: Store) -> str:
        name = re.sub("[^a-z]+", "-", self.program.lower()) + ".ics"
        return store.write(name, self.bytes(store))

    def faults(self, store: Store) -> dict[int, str]:
        """By the line on which the refused component begins."""
        lines = self.bytes(store).split(self.end.encode())
        found = {}
        for uid, word in self.refused.items():
            mark = f"UID:{uid}".replace("RUN", store.run_name).encode()
            place = lines.index(mark)
            while lines[place] not in (b"BEGIN:VEVENT", b"BEGIN:VTODO", b"BEGIN:VJOURNAL"):
                place -= 1
            found[place + 1] = word
        return found


GOOGLE = Calendar(
    "Google Calendar",
    r"""
BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Talks
X-WR-TIMEZONE:Europe/Vienna
X-WR-CALDESC:All\, that is
BEGIN:VTIMEZONE
TZID:America/New_York
X-LIC-LOCATION:America/New_York
BEGIN:DAYLIGHT
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
TZNAME:EDT
DTSTART:19700308T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
TZNAME:EST
DTSTART:19701101T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART:20400711T070000Z
DTEND:20400711T083000Z
DTSTAMP:20260102T030405Z
ORGANIZER;CN=Ada Lovelace:mailto:ada@example.com
UID:google-utc-RUN@google.com
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Ada Lovelace;X-NUM-GUESTS=0:mailto:ada@example.com
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN="Babbage, Charles: engines; others";X-NUM-GUESTS=0:mailto:charles@example.com
X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij
CREATED:20260101T000000Z
DESCRIPTION:Erste Zeile\nzweite\, mit Komma\; Strichpunkt und \\ <b>fett</b>\N-::~:~::~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~::~:~::-
LAST-MODIFIED:20260102T030405Z
LOCATION:Café Central\, Herrengasse 14\, 1010 Wien\, Österreich
SEQUENCE:2
STATUS:CONFIRMED
SUMMARY:Über Motoren – ein Vortrag\, mit 🙂 RUN
TRANSP:OPAQUE
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:This is an event reminder
TRIGGER:-P0DT0H30M0S
END:VALARM
BEGIN:VALARM
ACTION:EMAIL
SUMMARY:Alarm notification
ATTENDEE:mailto:ada@example.com
DESCRIPTION:This is an event reminder
TRIGGER:-P0DT0H10M0S
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=America/New_York:20400711T090000
DTEND;TZID=America/New_York:20400711T100000
DTSTAMP:20260102T030405Z
UID:google-summer-RUN@google.com
CREATED:20260101T000000Z
LAST-MODIFIED:20260102T030405Z
SEQUENCE:0
STATUS:TENTATIVE
SUMMARY:New York in summer RUN
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=America/New_York:20400311T023000
DTEND;TZID=America/New_York:20400311T043000
DTSTAMP:20260102T030405Z
UID:google-never-RUN@google.com
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:At a time that clocks do not show RUN
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=America/New_York:20401104T013000
DTEND;TZID=America/New_York:20401104T023000
DTSTAMP:20260102T030405Z
UID:google-twice-RUN@google.com
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:At a time that clocks show twice RUN
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20400501
DTEND;VALUE=DATE:20400502
DTSTAMP:20260102T030405Z
UID:google-day-RUN@google.com
DESCRIPTION:
LOCATION:
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:A day RUN
TRANSP:TRANSPARENT
END:VEVENT
END:VCALENDAR
""",
    {
        "google-utc-RUN@google.com": {
            "title": "Über Motoren – ein Vortrag, mit 🙂 RUN",
            "description": "Erste Zeile\nzweite, mit Komma; Strichpunkt und \\ <b>fett</b>\n"
            "-::~:~::~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~::~:~::-",
            "location": "Café Central, Herrengasse 14, 1010 Wien, Österreich",
            "start_time": "2040-07-11T07:00:00Z",
            "end_time": "2040-07-11T08:30:00Z",
            "status": "scheduled",
            "tags": [],
            "coordinates": None,
            "max_attendees": None,
        },
        "google-summer-RUN@google.com": {
            "start_time": "2040-07-11T13:00:00Z",
            "end_time": "2040-07-11T14:00:00Z",
            "status": "scheduled",
        },
        # RFC 5545, section 3.3.5: by the offset before the gap; the first of two.
        "google-never-RUN@google.com": {
            "start_time": "2040-03-11T07:30:00Z",
            "end_time": "2040-03-11T08:30:00Z",
        },
        "google-twice-RUN@google.com": {
            "start_time": "2040-11-04T05:30:00Z",
            "end_time": "2040-11-04T07:30:00Z",
        },
        "google-day-RUN@google.com": {
            "start_time": "2040-04-30T22:00:00Z",
            "end_time": "2040-05-01T22:00:00Z",
            "description": "",
            "location": "",
        },
    },
)

OUTLOOK = Calendar(
    "Outlook",
    r"""
BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:PUBLISH
X-MS-OLK-FORCEINSPECTOROPEN:TRUE
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;CN=charles@example.com;RSVP=TRUE:mailto:charles@example.com
CATEGORIES:Rote Kategorie,Wichtig
CLASS:PUBLIC
CREATED:20260102T030405Z
DESCRIPTION:Zur Besprechung\, wie immer.\nhttps://teams.example.com/l/meetup-join/19%3ameeting_NjYxZDQ4ZjYtYmQ4ZS00\n
DTEND;TZID="W. Europe Standard Time":20400115T103000
DTSTAMP:20260102T030405Z
DTSTART;TZID="W. Europe Standard Time":20400115T090000
LAST-MODIFIED:20260102T030405Z
LOCATION:Besprechungszimmer „Größe“
ORGANIZER;CN="Lovelace, Ada":mailto:ada@example.com
PRIORITY:5
SEQUENCE:0
SUMMARY;LANGUAGE=de-at:Besprechung RUN
TRANSP:OPAQUE
UID:040000008200E00074C5B7101A82E00800000000B0A1C2D3E4F5DA01000000000000000010000000A1RUN
X-ALT-DESC;FMTTYPE=text/html:<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2//EN">\n<HTML>\n<BODY>\n<P DIR=LTR>Zur Besprechung\, wie immer: ä ö ü 🙂</P>\n</BODY>\n</HTML>
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
X-MICROSOFT-CDO-IMPORTANCE:1
X-MICROSOFT-DISALLOW-COUNTER:FALSE
X-MS-OLK-AUTOFILLLOCATION:FALSE
X-MS-OLK-CONFTYPE:0
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
BEGIN:VEVENT
CLASS:PUBLIC
DTEND;TZID="W. Europe Standard Time":20400715T103000
DTSTAMP:20260102T030405Z
DTSTART;TZID="W. Europe Standard Time":20400715T090000
PRIORITY:5
SEQUENCE:0
SUMMARY;LANGUAGE=de-at:Im Sommer RUN
UID:outlook-summer-RUN
END:VEVENT
BEGIN:VEVENT
DTEND;TZID="W. Europe Standard Time":20400325T033000
DTSTAMP:20260102T030405Z
DTSTART;TZID="W. Europe Standard Time":20400325T013000
SUMMARY;LANGUAGE=de-at:Über die Umstellung im März RUN
UID:outlook-march-RUN
END:VEVENT
BEGIN:VEVENT
DTEND;TZID="W. Europe Standard Time":20401028T033000
DTSTAMP:20260102T030405Z
DTSTART;TZID="W. Europe Standard Time":20401028T023000
SUMMARY;LANGUAGE=de-at:Über die Umstellung im Oktober RUN
UID:outlook-october-RUN
END:VEVENT
END:VCALENDAR
""",
    {
        "040000008200E00074C5B7101A82E00800000000B0A1C2D3E4F5DA01000000000000000010000000A1RUN": {
            "title": "Besprechung RUN",
            "description": "Zur Besprechung, wie immer.\n"
            "https://teams.example.com/l/meetup-join/19%3ameeting_NjYxZDQ4ZjYtYmQ4ZS00\n",
            "location": "Besprechungszimmer „Größe“",
            "start_time": "2040-01-15T08:00:00Z",
            "end_time": "2040-01-15T09:30:00Z",
            "tags": ["rote kategorie", "wichtig"],
            "status": "scheduled",
        },
        "outlook-summer-RUN": {
            "start_time": "2040-07-15T07:00:00Z",
            "end_time": "2040-07-15T08:30:00Z",
        },
        "outlook-march-RUN": {
            "start_time": "2040-03-25T00:30:00Z",
            "end_time": "2040-03-25T01:30:00Z",
        },
        "outlook-october-RUN": {
            "start_time": "2040-10-28T00:30:00Z",
            "end_time": "2040-10-28T02:30:00Z",
        },
    },
    mark="\t",
)

EXCHANGE = Calendar(
    "Exchange",
    r"""
BEGIN:VCALENDAR
METHOD:REQUEST
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Eastern Standard Time
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0545
TZOFFSETTO:+0545
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T000000
TZOFFSETFROM:+0545
TZOFFSETTO:+0545
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ORGANIZER;CN=Ada Lovelace:mailto:ada@example.com
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=charles@example.com:mailto:charles@example.com
DESCRIPTION;LANGUAGE=en-US:Bring your own.\n\n
UID:exchange-summer-RUN
SUMMARY;LANGUAGE=en-US:Lunch RUN
DTSTART;TZID=Eastern Standard Time:20400710T120000
DTEND;TZID=Eastern Standard Time:20400710T130000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20260102T030405Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:3
LOCATION;LANGUAGE=en-US:Room 1
X-MICROSOFT-CDO-APPT-SEQUENCE:3
X-MICROSOFT-CDO-OWNERAPPTID:2118453212
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE
X-MICROSOFT-CDO-ALLDAYEVENT:FALSE
X-MICROSOFT-ISRESPONSEREQUESTED:TRUE
BEGIN:VALARM
DESCRIPTION:REMINDER
TRIGGER;RELATED=START:-PT15M
ACTION:DISPLAY
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:exchange-winter-RUN
SUMMARY:Dinner RUN
DTSTART;TZID=Eastern Standard Time:20400110T190000
DTEND;TZID=Eastern Standard Time:20400110T210000
DTSTAMP:20260102T030405Z
END:VEVENT
BEGIN:VEVENT
UID:exchange-custom-RUN
SUMMARY:Breakfast RUN
DTSTART;TZID=Customized Time Zone:20400110T080000
DTEND;TZID=Customized Time Zone:20400110T090000
DTSTAMP:20260102T030405Z
END:VEVENT
BEGIN:VEVENT
UID:exchange-day-RUN
SUMMARY:Off RUN
DTSTART;VALUE=DATE:20401104
DTEND;VALUE=DATE:20401106
DTSTAMP:20260102T030405Z
STATUS:CANCELLED
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
X-MICROSOFT-CDO-INTENDEDSTATUS:OOF
END:VEVENT
END:VCALENDAR
""",
    {
        "exchange-summer-RUN": {
            "title": "Lunch RUN",
            "description": "Bring your own.\n\n",
            "location": "Room 1",
            "start_time": "2040-07-10T16:00:00Z",
            "end_time": "2040-07-10T17:00:00Z",
        },
        "exchange-winter-RUN": {
            "start_time": "2040-01-11T00:00:00Z",
            "end_time": "2040-01-11T02:00:00Z",
        },
        "exchange-custom-RUN": {
            "start_time": "2040-01-10T02:15:00Z",
            "end_time": "2040-01-10T03:15:00Z",
        },
        # The first of these days has 25 hours.
        "exchange-day-RUN": {
            "start_time": "2040-11-04T04:00:00Z",
            "end_time": "2040-11-06T05:00:00Z",
            "status": "canceled",
        },
    },
    options=("--time-zone", "America/New_York"),
)

APPLE = Calendar(
    "Apple Calendar",
    r"""
BEGIN:VCALENDAR
METHOD:PUBLISH
VERSION:2.0
X-WR-CALNAME:Privat
PRODID:-//Apple Inc.//macOS 14.5//EN
X-APPLE-CALENDAR-COLOR:#1BADF8
X-WR-TIMEZONE:Europe/Vienna
CALSCALE:GREGORIAN
BEGIN:VTIMEZONE
TZID:Europe/Vienna
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
DTSTART:19810329T020000
TZNAME:GMT+2
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
DTSTART:19961027T030000
TZNAME:GMT+1
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
CREATED:20260102T030405Z
UID:0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0-RUN
DTEND;VALUE=DATE:20400504
TRANSP:TRANSPARENT
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
SUMMARY:Ausflug\; drei Tage RUN
LAST-MODIFIED:20260102T030405Z
DTSTAMP:20260102T030405Z
DTSTART;VALUE=DATE:20400501
LOCATION:Rathausplatz 1\, 1010 Wien\, Österreich
SEQUENCE:1
X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="Rathausplatz 1\\n1010 Wien";X-APPLE-RADIUS=70.5;X-TITLE="Rathaus: Festsaal, Wien":geo:48.210800,16.357100
URL;VALUE=URI:https://example.com/ausflug?a=1\,2
BEGIN:VALARM
X-WR-ALARMUID:11223344-5566-7788-99AA-BBCCDDEEFF00
UID:11223344-5566-7788-99AA-BBCCDDEEFF00
TRIGGER:-PT15H
X-APPLE-DEFAULT-ALARM:TRUE
ATTACH;VALUE=URI:Basso
ACTION:AUDIO
END:VALARM
END:VEVENT
BEGIN:VEVENT
CREATED:20260102T030405Z
UID:apple-day-RUN
DTSTART;VALUE=DATE:20401028
SUMMARY:Ein Tag ohne Ende RUN
DTSTAMP:20260102T030405Z
SEQUENCE:0
END:VEVENT
BEGIN:VEVENT
UID:apple-floating-RUN
DTEND:20400801T103000
SUMMARY:Überall um neun RUN
DTSTART:20400801T090000
DTSTAMP:20260102T030405Z
SEQUENCE:0
END:VEVENT
BEGIN:VEVENT
UID:apple-zone-RUN
DTEND;TZID=Europe/Vienna:20400325T040000
SUMMARY:In der Nacht RUN
DTSTART;TZID=Europe/Vienna:20400324T230000
DTSTAMP:20260102T030405Z
SEQUENCE:0
END:VEVENT
END:VCALENDAR
""",
    {
        "0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0-RUN": {
            "title": "Ausflug; drei Tage RUN",
            "location": "Rathausplatz 1, 1010 Wien, Österreich",
            "start_time": "2040-04-30T22:00:00Z",
            "end_time": "2040-05-03T22:00:00Z",
        },
        "apple-day-RUN": {
            "start_time": "2040-10-27T22:00:00Z",
            "end_time": "2040-10-28T23:00:00Z",
        },
        "apple-floating-RUN": {
            "start_time": "2040-08-01T07:00:00Z",
            "end_time": "2040-08-01T08:30:00Z",
        },
        "apple-zone-RUN": {
            "start_time": "2040-03-24T22:00:00Z",
            "end_time": "2040-03-25T02:00:00Z",
        },
    },
    options=("--time-zone", "Europe/Vienna"),
)

THUNDERBIRD = Calendar(
    "Thunderbird",
    r"""
BEGIN:VCALENDAR
PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:/mozilla.org/20070129_1/Europe/Vienna
X-LIC-LOCATION:Europe/Vienna
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
END:VTIMEZONE
BEGIN:VTIMEZONE
TZID:Observatory
BEGIN:STANDARD
DTSTART:18000101T000000
TZOFFSETFROM:+010521
TZOFFSETTO:+010521
TZNAME:LMT
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20400401T000000
RDATE:20400401T000000,20410401T000000
TZOFFSETFROM:+010521
TZOFFSETTO:+020521
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20401001T000000
RDATE:20401001T000000
RDATE:20411001T000000
TZOFFSETFROM:+020521
TZOFFSETTO:+010521
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
CREATED:20260102T030405Z
LAST-MODIFIED:20260102T030405Z
DTSTAMP:20260102T030405Z
UID:bird-\,comma-RUN
SUMMARY:Chorprobe RUN
ORGANIZER;RSVP=TRUE;CN=Ada;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:ada@example.com
CATEGORIES:Chor,Musik & mehr
CATEGORIES:Freizeit
DTSTART;TZID=/mozilla.org/20070129_1/Europe/Vienna:20400703T190000
DURATION:PT2H30M
DESCRIPTION;ALTREP="data:text/html,%3Cbody%3Ezwei%3Cb%3E%20Zeilen%3C%2Fb%3E%3C%2Fbody%3E":zwei\nZeilen
LOCATION:Probenraum
GEO:48.2082;16.3738
CLASS:PRIVATE
PRIORITY:1
URL:https://example.com/chor
ATTACH:https://example.com/noten.pdf
ATTACH;FMTTYPE=audio/ogg:https://example.com/probe.ogg
ATTACH;ENCODING=BASE64;VALUE=BINARY:R3LDvMOfZSE=
COMMENT:Bitte\, pünktlich\; danke \\o/
RELATED-TO:bird-day-RUN
X-MOZ-LASTACK:20260102T030405Z
X-MOZ-GENERATION:4
x-lower;x-a="b;c":Kleines bleibt klein
TRANSP:OPAQUE
SEQUENCE:1
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER;VALUE=DURATION:-PT30M
DESCRIPTION:Default Mozilla Description
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260102T030405Z
UID:bird-winter-RUN
SUMMARY:Chorprobe im Winter RUN
STATUS:CANCELLED
DTSTART;TZID=/mozilla.org/20070129_1/Europe/Vienna:20400103T190000
DTEND;TZID=/mozilla.org/20070129_1/Europe/Vienna:20400103T210000
GEO:-33.45;-70.65
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260102T030405Z
UID:bird-observatory-winter-RUN
SUMMARY:Sterne im Winter RUN
DTSTART;TZID=Observatory:20400115T200521
DURATION:P1W
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260102T030405Z
UID:bird-observatory-summer-RUN
SUMMARY:Sterne im Sommer RUN
DTSTART;TZID=Observatory:20400715T220521
DTEND;TZID=Observatory:20400715T230521
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260102T030405Z
UID:bird-day-RUN
SUMMARY:Zwei Tage RUN
DTSTART;VALUE=DATE:20400229
DURATION:P2D
END:VEVENT
END:VCALENDAR
""",
    {
        "bird-,comma-RUN": {
            "title": "Chorprobe RUN",
            "description": "zwei\nZeilen",
            "location": "Probenraum",
            "start_time": "2040-07-03T17:00:00Z",
            "end_time": "2040-07-03T19:30:00Z",
            "tags": ["chor", "musik & mehr", "freizeit"],
            "coordinates": {"latitude": 48.2082, "longitude": 16.3738},
            "status": "scheduled",
        },
        "bird-winter-RUN": {
            "start_time": "2040-01-03T18:00:00Z",
            "end_time": "2040-01-03T20:00:00Z",
            "status": "canceled",
            "coordinates": {"latitude": -33.45, "longitude": -70.65},
        },
        "bird-observatory-winter-RUN": {
            "start_time": "2040-01-15T19:00:00Z",
            "end_time": "2040-01-22T19:00:00Z",
        },
        "bird-observatory-summer-RUN": {
            "start_time": "2040-07-15T20:00:00Z",
            "end_time": "2040-07-15T21:00:00Z",
        },
        "bird-day-RUN": {
            "start_time": "2040-02-29T00:00:00Z",
            "end_time": "2040-03-02T00:00:00Z",
        },
    },
)

# Lines end with LF, folds tear characters apart, names are small: all that readers must bear.
EDITOR = Calendar(
    "a text editor",
    r"""
begin:vcalendar
version:2.0
prodid:hand
begin:vevent
uid:editor-plain-RUN
dtstamp:20260102T030405Z
summary:Größer als 日本語 🙂🙂🙂 RUN
description:Grüße\nan alle: äöüßäöüßäöüß 日本語日本語日本語 🙂🙂🙂🙂🙂
dtstart:20400711T090000
duration:PT1H
x-note:äöüßäöüßäöüß 🙂🙂🙂🙂🙂
categories:eins,zwei,,drei
end:vevent
begin:vevent
uid:editor-duration-RUN
dtstamp:20260102T030405Z
summary:Mit allen Teilen RUN
dtstart;tzid=Asia/Tokyo:20400711T090000
duration:+P1DT2H3M4S
end:vevent
end:vcalendar
""",
    {
        "editor-plain-RUN": {
            "title": "Größer als 日本語 🙂🙂🙂 RUN",
            "description": "Grüße\nan alle: äöüßäöüßäöüß 日本語日本語日本語 🙂🙂🙂🙂🙂",
            "start_time": "2040-07-11T13:00:00Z",
            "end_time": "2040-07-11T14:00:00Z",
            "tags": ["eins", "zwei", "drei"],
        },
        "editor-duration-RUN": {
            "start_time": "2040-07-11T00:00:00Z",
            "end_time": "2040-07-12T02:03:04Z",
        },
    },
    options=("--time-zone", "America/New_York"),
    width=20,
    end="\n",
)

# RFC 5545, section 3.3.6: a day of a duration is one of the calendar, an hour is an hour.
DURATIONS = Calendar(
    "durations over a change of clocks",
    r"""
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Somebody//Else//EN
BEGIN:VEVENT
UID:duration-day-RUN
DTSTAMP:20260102T030405Z
SUMMARY:One day\, of 25 hours RUN
DTSTART;TZID=Europe/Vienna:20401027T120000
DURATION:P1D
END:VEVENT
BEGIN:VEVENT
UID:duration-hours-RUN
DTSTAMP:20260102T030405Z
SUMMARY:24 hours RUN
DTSTART;TZID=Europe/Vienna:20401027T120000
DURATION:PT24H
END:VEVENT
BEGIN:VEVENT
UID:duration-date-RUN
DTSTAMP:20260102T030405Z
SUMMARY:Two days\, of 47 hours RUN
DTSTART;VALUE=DATE:20400324
DURATION:P2D
END:VEVENT
END:VCALENDAR
""",
    {
        "duration-day-RUN": {
            "start_time": "2040-10-27T10:00:00Z",
            "end_time": "2040-10-28T11:00:00Z",
        },
        "duration-hours-RUN": {
            "start_time": "2040-10-27T10:00:00Z",
            "end_time": "2040-10-28T10:00:00Z",
        },
        "duration-date-RUN": {
            "start_time": "2040-03-23T23:00:00Z",
            "end_time": "2040-03-25T22:00:00Z",
        },
    },
    options=("--time-zone", "Europe/Vienna"),
)

MIXED = Calendar(
    "a calendar with what cannot be",
    r"""
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Somebody//Else//EN
BEGIN:VEVENT
UID:mixed-good-RUN
DTSTAMP:20260102T030405Z
SUMMARY:Good RUN
DTSTART:20400101T090000Z
DTEND:20400101T100000Z
END:VEVENT
BEGIN:VEVENT
SUMMARY:Weekly: this is a long title\, which is folded\, so that lines are counted as they are
UID:mixed-rrule-RUN
DTSTAMP:20260102T030405Z
DTSTART:20400101T090000Z
DTEND:20400101T100000Z
RRULE:FREQ=WEEKLY;COUNT=3
EXDATE:20400108T090000Z
END:VEVENT
BEGIN:VEVENT
UID:mixed-override-RUN
DTSTAMP:20260102T030405Z
RECURRENCE-ID:20400115T090000Z
SUMMARY:Later
DTSTART:20400115T110000Z
DTEND:20400115T120000Z
END:VEVENT
BEGIN:VEVENT
UID:mixed-rdate-RUN
DTSTAMP:20260102T030405Z
SUMMARY:Some days
DTSTART;TZID=Europe/Vienna:20400101T090000
DTEND;TZID=Europe/Vienna:20400101T100000
RDATE;TZID=Europe/Vienna:20400103T090000,20400105T090000
END:VEVENT
BEGIN:VTODO
UID:mixed-todo-RUN
DTSTAMP:20260102T030405Z
SUMMARY:To do
DUE:20400101T090000Z
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Do
TRIGGER:-PT5M
END:VALARM
END:VTODO
BEGIN:VJOURNAL
UID:mixed-journal-RUN
DTSTAMP:20260102T030405Z
DTSTART;VALUE=DATE:20400101
SUMMARY:Diary
END:VJOURNAL
BEGIN:VEVENT
UID:mixed-past-RUN
DTSTAMP:20010102T030405Z
SUMMARY:Long ago
DTSTART:20010101T090000Z
DTEND:20010101T100000Z
END:VEVENT
BEGIN:VEVENT
UID:mixed-backwards-RUN
DTSTAMP:20260102T030405Z
SUMMARY:Backwards
DTSTART:20400101T090000Z
DTEND:20400101T080000Z
END:VEVENT
BEGIN:VEVENT
UID:mixed-thirteenth-RUN
DTSTAMP:20260102T030405Z
SUMMARY:In the thirteenth month
DTSTART:20401301T090000Z
DTEND:20401301T100000Z
END:VEVENT
BEGIN:VEVENT
UID:mixed-startless-RUN
DTSTAMP:20260102T030405Z
SUMMARY:Some time
END:VEVENT
BEGIN:VEVENT
UID:mixed-endless-RUN
DTSTAMP:20260102T030405Z
SUMMARY:A moment only
DTSTART:20400101T090000Z
END:VEVENT
BEGIN:VEVENT
UID:mixed-nowhere-RUN
DTSTAMP:20260102T030405Z
SUMMARY:In a zone that nobody knows
DTSTART;TZID=Nowhere Standard Time:20400101T090000
DTEND;TZID=Nowhere Standard Time:20400101T100000
END:VEVENT
BEGIN:VEVENT
UID:mixed-good-too-RUN
DTSTAMP:20260102T030405Z
SUMMARY:Good too RUN
DTSTART:20400101T090000Z
DTEND:20400101T100000Z
END:VEVENT
END:VCALENDAR
""",
    {
        "mixed-good-RUN": {"title": "Good RUN"},
        "mixed-endless-RUN": {
            "title": "A moment only",
            "start_time": "2040-01-01T09:00:00Z",
            "end_time": "2040-01-01T09:00:01Z",
        },
        "mixed-good-too-RUN": {"title": "Good too RUN"},
    },
    {
        "mixed-rrule-RUN": "RRULE",
        "mixed-override-RUN": "RECURRENCE-ID",
        "mixed-rdate-RUN": "RDATE",
        "mixed-todo-RUN": "VTODO",
        "mixed-journal-RUN": "VJOURNAL",
        "mixed-past-RUN": "past",
        "mixed-backwards-RUN": "end",
        "mixed-thirteenth-RUN": "DTSTART",
        "mixed-startless-RUN": "DTSTART",
        "mixed-nowhere-RUN": "Nowhere Standard Time",
    },
)

CALENDARS = (GOOGLE, OUTLOOK, EXCHANGE, APPLE, THUNDERBIRD, EDITOR, DURATIONS, MIXED)


def comes_in(store: Store, calendar: Calendar) -> None:
    file = calendar.file(store)
    counts = Counts(created=len(calendar.events), failed=len(calendar.refused))
    store.imports(file, counts, *calendar.options, faults=calendar.faults(store))


def says_the_same(store: Store, calendar: Calendar) -> None:
    records = store.records()
    for uid, wanted in calendar.events.items():
        record = store.by_uid(uid.replace("RUN", store.run_name), records)
        title = str(wanted.get("title", record["title"])).replace("RUN", store.run_name)
        compare(record, {**wanted, "title": title})


def comes_in_once(store: Store, calendar: Calendar) -> None:
    file = calendar.file(store)
    counts = Counts(skipped=len(calendar.events), failed=len(calendar.refused))
    faults = calendar.faults(store)
    store.imports(file, counts, *calendar.options, faults=faults)
    store.imports(file, counts, "--update", *calendar.options, faults=faults)


def goes_back_word_for_word(store: Store, data: bytes, uids: Iterable[str]) -> None:
    """What has no field of ours is in the next calendar as it was, and so is the UID."""
    given = {uid_of(lines): lines for lines in components(unfolded(data))}
    every = components(unfolded(store.export("--format", "ics")))
    exported = {uid_of(lines): lines for lines in every}
    for uid in uids:
        expect(uid in exported, f"no event with the UID {uid} is exported")
        found = kept(exported[uid])
        for name, wanted in kept(given[uid]).items():
            same(f"{name or 'what is inside'} of {uid}", found.get(name, []), wanted)


def calendar_goes_back(store: Store, calendar: Calendar) -> None:
    uids = [uid.replace("RUN", store.run_name) for uid in calendar.events]
    goes_back_word_for_word(store, calendar.bytes(store), uids)


def all_are_bad(store: Store) -> None:
    text = MIXED.text.split("BEGIN:VTODO")[0].split("BEGIN:VEVENT")[0]
    text += "BEGIN:VTODO\nUID:x\nSUMMARY:To do\nEND:VTODO\nEND:VCALENDAR\n"
    store.imports(store.write("bad.ics", folded(text)), Counts(failed=1), faults={4: "VTODO"})


def stdin_is_called_so(store: Store) -> None:
    data = MIXED.bytes(store)
    counts = Counts(skipped=len(MIXED.events), failed=len(MIXED.refused))
    store.imports("-", counts, "--format", "ics", stdin=data, faults=MIXED.faults(store))


def without_uid_comes_in_once(store: Store) -> None:
    start = datetime(YEAR, 2, 3, 4, 5, tzinfo=UTC)
    calendar = made_calendar([icalendar.Event()])
    one = calendar.walk("VEVENT")[0]
    one.add("summary", f"Without a UID {store.run_name}")
    one.add("dtstart", start)
    one.add("duration", timedelta(hours=1))
    file = store.write("nameless.ics", calendar.to_ical())
    store.imports(file, Counts(created=1))
    store.imports(file, Counts(skipped=1))


def place_may_have_lines(store: Store) -> None:
    """Apple Calendar writes an address as people do. Its words are what counts."""
    one = icalendar.Event()
    one.add("uid", f"address-{store.run_name}")
    one.add("dtstamp", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    one.add("summary", f"At an address {store.run_name}")
    one.add("location", "Rathaus\nRathausplatz 1\n1010 Wien, Österreich")
    one.add("dtstart", WINTER)
    one.add("dtend", WINTER + timedelta(hours=1))
    file = store.write("address.ics", made_calendar([one]).to_ical())
    store.imports(file, Counts(created=1))
    store.imports(file, Counts(skipped=1), "--update")
    uid = str(one["UID"])
    exported = unescaped(property_value(lines_of(store, uid), "LOCATION"))
    for place in (store.by_uid(uid)["location"], exported):
        words = re.findall(r"\w+", place)
        same("the place", words, ["Rathaus", "Rathausplatz", "1", "1010", "Wien", "Österreich"])


REVISED = r"""
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Somebody//Else//EN
BEGIN:VEVENT
UID:revised-RUN
DTSTAMP:20260102T030405Z
SEQUENCE:{sequence}
SUMMARY:{title} RUN
DTSTART:20400101T090000Z
DTEND:20400101T100000Z
X-REVISION:{title}
END:VEVENT
BEGIN:VEVENT
UID:unrevised-RUN
DTSTAMP:20260102T030405Z
SEQUENCE:7
SUMMARY:Stays RUN
DTSTART:20400101T090000Z
DTEND:20400101T100000Z
END:VEVENT
END:VCALENDAR
"""


def is_revised(store: Store) -> None:
    def file(sequence: int, title: str) -> str:
        text = REVISED.format(sequence=sequence, title=title).replace("RUN", store.run_name)
        return store.write(f"revision-{sequence}.ics", folded(text))

    def check(title: str, sequence: int) -> None:
        uid = f"revised-{store.run_name}"
        same("the title", store.by_uid(uid)["title"], f"{title} {store.run_name}")
        lines = lines_of(store, uid)
        revisions = [line for line in lines if line.startswith("X-REVISION")]
        same("what is kept", revisions, [f"X-REVISION:{title}"])
        same("SEQUENCE", property_value(lines, "SEQUENCE"), str(sequence))

    store.imports(file(5, "First"), Counts(created=2))
    check("First", 5)
    store.imports(file(6, "Second"), Counts(skipped=2))
    check("First", 5)
    store.imports(file(6, "Second"), Counts(updated=1, skipped=1), "--update")
    check("Second", 6)
    store.imports(file(6, "Second"), Counts(skipped=2), "--update")
    store.imports(file(4, "Outdated"), Counts(skipped=2), "--update")
    check("Second", 6)
    store.imports(file(10, "Third"), Counts(updated=1, skipped=1), "--update")
    check("Third", 10)


# --- Calendars that icalendar writes ---


def made_calendar(events: Iterable[Component]) -> Component:
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Somebody//Else//EN")
    calendar.add("version", "2.0")
    for one in events:
        calendar.add_component(one)
    return calendar


def icalendar_writes(store: Store) -> None:
    run_name = store.run_name
    starts = {
        "utc": datetime(YEAR, 3, 4, 5, 6, 7, tzinfo=UTC),
        "vienna": datetime(YEAR, 7, 4, 9, tzinfo=VIENNA),
        "new-york": datetime(YEAR, 11, 4, 0, 30, tzinfo=ZoneInfo("America/New_York")),
        "lord-howe": datetime(YEAR, 1, 4, 9, tzinfo=ZoneInfo("Australia/Lord_Howe")),
        "floating": datetime(YEAR, 7, 4, 9),
        "day": date(YEAR, 7, 4),
    }
    wanted: dict[str, Record] = {}
    made = []
    for name, start in starts.items():
        uid = f"icalendar-{name}-{run_name}"
        one = icalendar.Event()
        one.add("uid", uid)
        one.add("dtstamp", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        one.add("summary", f"Von icalendar, „{name}“; \\ 🙂 {run_name}")
        one.add("description", "äöü 日本語, 🙂; \\ und\nZeile " * 20)
        one.add("location", "Wien, Österreich; Erde")
        one.add("categories", ["eins", "zwei; drei", "vier\\fünf"])
        one.add("geo", (48.25, -16.5))
        one.add("sequence", 3)
        one.add("status", "CONFIRMED")
        one.add("x-mark", "a, b; c \\ d")
        organizer = icalendar.vCalAddress("mailto:ada@example.com")
        organizer.params["CN"] = "Lovelace, Ada: Countess; of"
        one.add("organizer", organizer)
        for number in range(3):
            attendee = icalendar.vCalAddress(f"mailto:guest{number}@example.com")
            attendee.params["CN"] = f"Gast „{number}“ Ö"
            attendee.params["ROLE"] = "REQ-PARTICIPANT"
            one.add("attendee", attendee, encode=False)
        alarm = icalendar.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", "Bald, sehr bald; \\ wirklich")
        alarm.add("trigger", timedelta(minutes=-15))
        one.add_component(alarm)
        one.add("dtstart", start)
        length = timedelta(hours=2, minutes=30) if isinstance(start, datetime) else timedelta(2)
        begin = instant(start, VIENNA)
        if name == "utc":
            one.add("duration", length)
            end = begin + length
        else:
            one.add("dtend", start + length)
            end = instant(start + length, VIENNA)
        made.append(one)
        wanted[uid] = {
            "title": str(one["SUMMARY"]),
            "description": str(one["DESCRIPTION"]),
            "location": str(one["LOCATION"]),
            "tags": ["eins", "zwei; drei", "vier\\fünf"],
            "coordinates": {"latitude": 48.25, "longitude": -16.5},
            "start_time": written(begin),
            "end_time": written(end),
        }
    calendar = made_calendar(made)
    calendar.add_missing_timezones()
    data = calendar.to_ical()
    file = store.write("icalendar.ics", data)
    options = ("--time-zone", "Europe/Vienna")
    store.imports(file, Counts(created=len(made)), *options)
    store.imports(file, Counts(skipped=len(made)), "--update", *options)
    records = store.records()
    for uid, values in wanted.items():
        compare(store.by_uid(uid, records), values)
    goes_back_word_for_word(store, data, wanted)


# --- khal ---


class Khal:
    """A khal with a calendar of its own; its local time is UTC."""

    # A place may have line feeds.
    BEGIN, SEPARATOR = "¶", "\t"
    FIELDS = ("title", "start-long-full", "end-long-full", "location", "status")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._home = Path(tempfile.mkdtemp(prefix="khal-", dir=store.directory))
        self.vdir = self._home / "vdir"
        self.vdir.mkdir()
        (self._home / "config").write_text(
            f"[calendars]\n[[ems]]\npath = {self.vdir}\ntype = calendar\n"
            "[locale]\nlocal_timezone = UTC\ndefault_timezone = UTC\n"
            "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
            "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
            "[default]\ndefault_calendar = ems\n"
            f"[sqlite]\npath = {self._home / 'khal.db'}\n"
        )

    def run(self, *arguments: str) -> Ran:
        environment = {
            "HOME": str(self._home),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
        }
        ran = run(
            "khal",
            "-c",
            self._home / "config",
            *arguments,
            cwd=self._store.directory,
            environment=environment,
        )
        same(f"the exit status of khal {arguments[0]} ({ran.err.strip()})", ran.status, 0)
        return ran

    def takes(self, data: bytes) -> None:
        file = self._store.write("for-khal.ics", data)
        ran = self.run("import", "--batch", "-a", "ems", file)
        same("what khal says about the calendar", ran.err.strip(), "")

    def listed(self) -> dict[str, dict[str, str]]:
        """By title."""
        form = self.BEGIN + self.SEPARATOR.join(f"{{{name}}}" for name in self.FIELDS)
        days = (date(YEAR + 1, 1, 1) - date(KHAL_YEAR, 1, 1)).days
        ran = self.run(
            "list",
            "-a",
            "ems",
            "--once",
            "--day-format",
            "",
            "--format",
            form,
            f"{KHAL_YEAR}-01-01",
            f"{days}d",
        )
        lines = ran.out.decode().split(self.BEGIN)[1:]
        rows = [dict(zip(self.FIELDS, line.split(self.SEPARATOR), strict=True)) for line in lines]
        return {row["title"]: row for row in rows}


def khal_reads(store: Store, *options: str) -> None:
    khal = Khal(store)
    khal.takes(store.export("--format", "ics", *options))
    listed = khal.listed()
    count = 0
    for record in store.records():
        title, start, end = (
            record["title"],
            moment(record["start_time"]),
            moment(record["end_time"]),
        )
        if not KHAL_YEAR <= start.year <= YEAR:
            continue
        expect(title in listed, f"khal does not show {title!r}")
        row = listed[title]
        # A line feed in a place is shown as khal likes.
        expect(
            row["location"].split() == record["location"].split(),
            f"khal shows {title!r} at {row['location']!r}, not {record['location']!r}",
        )
        same(f"the status of {title!r} in khal", row["status"].strip(), *STATUSES[record["status"]])
        if end.year > 2037 or "external_id" in record:
            continue
        count += 1
        shown = (row["start-long-full"], row["end-long-full"])
        wanted = tuple(f"{when:%Y-%m-%d %H:%M}" for when in (start, end))
        same(f"what khal shows as the times of {title!r}", shown, wanted)
    expect(count > 0, "there was no event with times to compare")


@dataclass(frozen=True)
class KhalEvent:
    """What is said to `khal new`, and what comes of it; RUN stands for the run's name."""

    arguments: tuple[str, ...]
    wanted: Record | None
    options: tuple[str, ...] = ()


KHAL_EVENTS = {
    "with all there is": KhalEvent(
        (
            *("--location", "Wien, Rathaus; links", "--categories", "talk,gala", "--alarms", "15m"),
            *("--url", "https://example.com/khal", f"{KHAL_YEAR}-07-01", "09:00", "10:30"),
            *("Europe/Vienna", "Vortrag, der „erste“; 🙂 RUN", "::", "Text; mit \\ Zeichen, ö"),
        ),
        {
            "title": "Vortrag, der „erste“; 🙂 RUN",
            "description": "Text; mit \\ Zeichen, ö",
            "location": "Wien, Rathaus; links",
            "tags": ["talk", "gala"],
            "start_time": f"{KHAL_YEAR}-07-01T07:00:00Z",
            "end_time": f"{KHAL_YEAR}-07-01T08:30:00Z",
        },
    ),
    "over a change of clocks": KhalEvent(
        (f"{KHAL_YEAR}-03-30", "01:30", "03:30", "Europe/Vienna", "Over the gap RUN"),
        {
            "title": "Over the gap RUN",
            "start_time": f"{KHAL_YEAR}-03-30T00:30:00Z",
            # The VTIMEZONE that khal writes changes the clocks an hour late, and what a calendar says of its zones counts.
            "end_time": f"{KHAL_YEAR}-03-30T02:30:00Z",
        },
    ),
    "in New York": KhalEvent(
        (f"{KHAL_YEAR}-01-15", "09:00", "10:00", "America/New_York", "Far away RUN"),
        {
            "title": "Far away RUN",
            "start_time": f"{KHAL_YEAR}-01-15T14:00:00Z",
            "end_time": f"{KHAL_YEAR}-01-15T15:00:00Z",
        },
    ),
    "in UTC": KhalEvent(
        (f"{KHAL_YEAR}-01-15", "09:00", "10:00", "Here RUN"),
        {
            "title": "Here RUN",
            "start_time": f"{KHAL_YEAR}-01-15T09:00:00Z",
            "end_time": f"{KHAL_YEAR}-01-15T10:00:00Z",
        },
    ),
    "of three days": KhalEvent(
        (f"{KHAL_YEAR}-05-01", f"{KHAL_YEAR}-05-03", "All day RUN"),
        {
            "title": "All day RUN",
            "start_time": f"{KHAL_YEAR}-04-30T22:00:00Z",
            "end_time": f"{KHAL_YEAR}-05-03T22:00:00Z",
        },
        ("--time-zone", "Europe/Vienna"),
    ),
    "that recurs": KhalEvent(
        ("--repeat", "weekly", f"{KHAL_YEAR}-05-01", "09:00", "10:00", "Again and again RUN"),
        None,
    ),
}


def khal_writes(store: Store, new: KhalEvent) -> None:
    khal = Khal(store)
    khal.run("new", "-a", "ems", *(part.replace("RUN", store.run_name) for part in new.arguments))
    files = list(khal.vdir.iterdir())
    same("how many files khal has written", len(files), 1)
    file = str(files[0].relative_to(store.directory))
    data = files[0].read_bytes()
    if new.wanted is None:
        line = data.splitlines().index(b"BEGIN:VEVENT") + 1
        store.imports(file, Counts(failed=1), *new.options, faults={line: "RRULE"})
        return
    store.imports(file, Counts(created=1), *new.options)
    store.imports(file, Counts(skipped=1), "--update", *new.options)
    uid = uid_of(next(components(unfolded(data))))
    title = new.wanted["title"].replace("RUN", store.run_name)
    compare(store.by_uid(uid), {**new.wanted, "title": title})
    goes_back_word_for_word(store, data, [uid])


def khal_gives_back(store: Store) -> None:
    """An event of ours, as khal writes it, says the same."""
    khal = Khal(store)
    khal.takes(own_calendar(store, "--time-zone", "Europe/Vienna")[0].to_ical())
    title = f"khal; im Sommer 🙂 {store.run_name}"
    record = store.titled(title)
    found = [
        path
        for path in khal.vdir.iterdir()
        if uid_of(next(components(unfolded(path.read_bytes())))).startswith(record["event_id"])
    ]
    same("how many files khal has for the event", len(found), 1)
    file = str(found[0].relative_to(store.directory))
    store.imports(file, Counts(skipped=1), "--update")
    compare(store.titled(title), record)


# --- Tables ---


def row_of(record: Record, columns: Iterable[str]) -> dict[str, str]:
    """A record as csv has it: nothing is an empty field, and tags are one."""
    place = record.get("coordinates") or {}
    values = {
        **record,
        "tags": ",".join(record.get("tags", [])),
        "latitude": place.get("latitude"),
        "longitude": place.get("longitude"),
    }
    row = {name: values.get(name) for name in columns}
    return {name: "" if value is None else str(value) for name, value in row.items()}


def each_row_is_the_same(store: Store, rows: Sequence[Mapping[str, str]]) -> None:
    records = store.records()
    same("the count of rows", len(rows), len(records))
    must = {"event_id", "title", "description", "location", "start_time", "end_time", "status"}
    must |= {"tags", "max_attendees", "attachment_url", "latitude", "longitude", "version"}
    same("what columns are missing", must - rows[0].keys(), set())
    by_id = {record["event_id"]: record for record in records}
    for row in rows:
        record = by_id[row["event_id"]]
        for name, wanted in row_of(record, row).items():
            found = row[name]
            if name in ("latitude", "longitude") and wanted:
                same(f"{name} of {record['title']!r}", float(found), float(wanted))
            elif name == "external_sequence":
                # Which jsonl leaves out where it is 0.
                same(f"{name} of {record['title']!r}", found or "0", wanted or "0")
            else:
                same(f"{name} of {record['title']!r}", found, wanted)


def python_reads(store: Store) -> None:
    text = store.export("--format", "csv").decode()
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header, *rows = lines
    each_row_is_the_same(store, [dict(zip(header, row, strict=True)) for row in rows])


def sqlite(store: Store, *arguments: str) -> bytes:
    environment = {**os.environ, "HOME": str(store.directory)}
    ran = run("sqlite3", *arguments, cwd=store.directory, environment=environment)
    same("what sqlite3 complains of", ran.err.strip(), "")
    same("the exit status of sqlite3", ran.status, 0)
    return ran.out


def sqlite_reads(store: Store) -> None:
    file = store.write("export.csv", store.export("--format", "csv"))
    out = sqlite(
        store, ":memory:", f".import --csv {file} events", ".mode json", "select * from events"
    )
    each_row_is_the_same(store, json.loads(out))


def tables_come_back(store: Store) -> None:
    """All of it, exported as csv: what is there is skipped, also where it is read to change."""
    data = store.export("--format", "csv")
    counts = Counts(skipped=len(store.records()))
    store.imports("-", counts, "--format", "csv", stdin=data)
    store.imports("-", counts, "--format", "csv", "--update", stdin=data)


TABLE: tuple[Record, ...] = (
    event("Plain", WINTER),
    event("Komma, \"Gänsefüßchen\" und 'andere'; 🙂", SUMMER, location="Wien, Rathaus"),
    event(
        "Lines",
        WINTER,
        description='one\ntwo\r\nthree,\n\n"four"\n',
        status="canceled",
        max_attendees=30,
        tags=["a", "b c", "ü"],
    ),
    event("Somewhere", WINTER, coordinates={"latitude": -1.5, "longitude": 100.25}),
    event("Long", WINTER, description='日本語, "äöü"\n' * 500, attachment_url="https://a.b/c?d,e"),
)
TABLE_COLUMNS = (
    *("title", "description", "location", "start_time", "end_time", "status", "tags"),
    *("max_attendees", "attachment_url", "latitude", "longitude"),
)


def table(store: Store, writer: str) -> list[Record]:
    """The events of the table, with titles of their own."""
    filled: Record = {"status": "scheduled", "tags": [], "coordinates": None, "max_attendees": None}
    name = f"{writer} {store.run_name}"
    return [{**filled, **one, "title": f"{one['title']} {name}"} for one in TABLE]


def table_comes_in(store: Store, writer: str, data: bytes, *options: str) -> None:
    events = table(store, writer)
    file = store.write(f"{writer}.csv", data)
    store.imports(file, Counts(created=len(events)), *options)
    store.imports(file, Counts(skipped=len(events)), *options)
    by_title = {record["title"]: record for record in store.records()}
    for one in events:
        compare(by_title[one["title"]], one)


def written_by_python(
    events: Iterable[Record], header: Sequence[str] = TABLE_COLUMNS, **style: Any
) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, **style)
    writer.writerow(header)
    for one in events:
        writer.writerow(row_of(one, TABLE_COLUMNS).values())
    return text.getvalue()


def python_writes(store: Store, style: str) -> None:
    events = table(store, style)
    styles: dict[str, tuple[dict[str, Any], str]] = {
        "excel": ({"dialect": "excel"}, "utf-8"),
        # What Excel calls CSV UTF-8.
        "marked": ({"dialect": "excel"}, "utf-8-sig"),
        # Everything in quotes, and LF.
        "unix": ({"dialect": "unix"}, "utf-8"),
    }
    options, encoding = styles[style]
    table_comes_in(store, style, written_by_python(events, **options).encode(encoding))


def sqlite_writes(store: Store) -> None:
    path = store.directory / "table.db"
    events = table(store, "sqlite")
    columns = ", ".join(TABLE_COLUMNS)
    with sqlite3.connect(path) as database:
        database.execute(f"create table events ({columns})")
        marks = ", ".join("?" * len(TABLE_COLUMNS))
        rows = [tuple(row_of(one, TABLE_COLUMNS).values()) for one in events]
        database.executemany(f"insert into events values ({marks})", rows)
    database.close()
    data = sqlite(store, path.name, ".mode csv", ".headers on", "select * from events")
    expect(data.startswith(",".join(TABLE_COLUMNS).encode() + b"\r\n"), "sqlite3 writes no CRLF")
    table_comes_in(store, "sqlite", data)
    data = sqlite(store, "-csv", "-header", path.name, "select * from events")
    store.imports("-", Counts(skipped=len(events)), "--format", "csv", stdin=data)


def columns_are_mapped(store: Store) -> None:
    events = table(store, "mapped")
    names = {
        "title": "Name",
        "start_time": "Begins",
        "end_time": "Ends = until",
        "location": "Wo",
        "description": "Über, das",
        "max_attendees": "Seats",
    }
    header = [names.get(column, column) for column in TABLE_COLUMNS]
    data = written_by_python(events, header).encode()
    options = [word for name, column in names.items() for word in ("--map", f"{column}={name}")]
    table_comes_in(store, "mapped", data, *options)


def bad_rows_are_told(store: Store) -> None:
    """With the line on which they begin, also behind fields of more than one."""
    title = f"Good in a bad table {store.run_name}"
    begin, end = written(WINTER), written(WINTER + timedelta(hours=1))
    rows = [
        ["title", "description", "start_time", "end_time", "max_attendees"],
        [title, "one\r\ntwo\nthree", begin, end, ""],
        ["Bad start", "one\ntwo", "soon", end, ""],
        ["Backwards", "", end, begin, ""],
        ["", "", begin, end, ""],
        ["Long ago", "", "2001-01-01T09:00:00Z", "2001-01-01T10:00:00Z", ""],
        ["Seats", "", begin, end, "many"],
        ["Too short", "", begin],
        [title + " too", "", begin, end, "5"],
    ]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    faults = {
        5: "start_time",
        7: "end_time",
        8: "title",
        9: "past",
        10: "max_attendees",
        11: "field",
    }
    data = text.getvalue().encode()
    file = store.write("mixed.csv", data)
    store.imports(file, Counts(created=2, failed=len(faults)), faults=faults)
    counts = Counts(skipped=2, failed=len(faults))
    store.imports("-", counts, "--format", "csv", stdin=data, faults=faults)
    bad = written_by_python([event("", WINTER), event("", SUMMER)]).encode()
    store.imports(store.write("bad.csv", bad), Counts(failed=2), faults={2: "title", 3: "title"})


# --- All of it ---


@dataclass(frozen=True)
class Case:
    sentence: str
    check: Callable[[], None]


def cases(store: Store) -> Iterator[Case]:
    def case(sentence: str, check: Callable[..., None], *arguments: object) -> Case:
        return Case(sentence, partial(check, store, *arguments))

    yield case("Events come in as jsonl", brings_in_events)

    def exported(when: str) -> Iterator[Case]:
        for zone in ("", *ZONES):
            options = ("--time-zone", zone) if zone else ()
            what = f"The calendar{when}, in {zone or 'UTC'},"
            yield case(f"{what} has lines as they must be", each_line_is_well, *options)
            yield case(f"{what} has whole events", each_event_is_whole, *options)
            yield case(
                f"{what} says to icalendar what jsonl says", each_value_is_the_same, *options
            )

    yield from exported("")
    for zone in ZONES:
        yield case(
            f"Times in {zone} are right by name and by definition", times_name_the_zone, zone
        )
    yield case("Our calendar, written anew by icalendar, changes nothing", comes_back)
    for zone in ZONES:
        sentence = f"Our calendar in {zone}, written anew by icalendar, changes nothing"
        yield case(sentence, comes_back, "--time-zone", zone)
    yield case("khal shows the calendar", khal_reads)
    yield case(
        "khal shows the calendar in Vienna's time", khal_reads, "--time-zone", "Europe/Vienna"
    )
    yield case("An event that khal gives back has not changed", khal_gives_back)
    yield case("An older calendar of ours does not undo a change", older_does_not_win)
    yield case("What others add to an event of ours stays", additions_stay)

    for calendar in CALENDARS:
        name = calendar.program
        yield case(f"What {name} writes comes in", comes_in, calendar)
        yield case(f"What {name} writes means what it says", says_the_same, calendar)
        yield case(f"What {name} writes comes in once", comes_in_once, calendar)
        yield case(f"What {name} writes goes back word for word", calendar_goes_back, calendar)
    yield case("A calendar without any event is all bad", all_are_bad)
    yield case("The lines of stdin are told as stdin's", stdin_is_called_so)
    yield case("An event without UID comes in once", without_uid_comes_in_once)
    yield case("A place may have several lines", place_may_have_lines)
    yield case("SEQUENCE decides which of two is the newer", is_revised)
    yield case("What icalendar writes comes in, once, and goes back", icalendar_writes)
    for name, new in KHAL_EVENTS.items():
        yield case(f"What khal writes of an event {name} is read right", khal_writes, new)

    for style in ("excel", "marked", "unix"):
        yield case(f"A table that Python writes comes in, {style}", python_writes, style)
    yield case("A table that sqlite3 writes comes in", sqlite_writes)
    yield case("Columns have the names of --map", columns_are_mapped)
    yield case("Bad rows of a table are told with their lines", bad_rows_are_told)
    yield case("Python reads the exported table", python_reads)
    yield case("sqlite3 reads the exported table", sqlite_reads)
    yield case("The exported table changes nothing when it comes back", tables_come_back)

    yield from exported(" with what came from elsewhere")
    yield case("khal shows the calendar with what came from elsewhere", khal_reads)


def trouble(tried: Case) -> str | None:
    """Returns what is wrong, as YAML; None where all is well."""
    try:
        tried.check()
    except Exception as error:
        words = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        steps = traceback.extract_tb(error.__traceback__)
        way = [f"{step.name}:{step.lineno}" for step in steps if step.filename == __file__]
        return f"  ---\n  message: {json.dumps(words)}\n  at: {json.dumps(' > '.join(way))}\n  ..."
    return None


def main() -> int:
    if len(sys.argv) != 2 or not os.access(sys.argv[1], os.X_OK):
        print("usage: python calendars.py /path/to/ems", file=sys.stderr)
        return 64
    print("TAP version 14", flush=True)
    is_well = True
    with tempfile.TemporaryDirectory(prefix="calendars-") as directory:
        all_cases = list(cases(Store(sys.argv[1], Path(directory))))
        print(f"1..{len(all_cases)}", flush=True)
        for number, tried in enumerate(all_cases, start=1):
            wrong = trouble(tried)
            print(f"{'not ok' if wrong else 'ok'} {number} - {tried.sentence}")
            if wrong:
                is_well = False
                print(wrong)
            sys.stdout.flush()
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
