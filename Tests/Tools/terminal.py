"""Sits at a terminal with ems as a person does: types, presses keys, and reads the screen.

    python terminal.py [OPTION…] /path/to/ems COMPLETIONS_DIR [case…]

The cases are completions, shell, manners and record; without one named, all are run. The
store is the one the environment names (EMS_DATA_DIR, XDG_*, MONGODB_URL …), and should be
empty: accounts and more than 70,000 events are left behind in it. HOME must be a fresh
directory. --only WORDS runs what has these words in its name; --record FILE keeps the
screen of the stranger's session for people to read; --seconds N says how long ems may take
for what it owes at once. What comes out is TAP version 14; the exit status is 0 where all
is well, 1 where something is wrong, 64 for a wrong call.
"""

import argparse
import fcntl
import json
import os
import re
import secrets
import select
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import time
import traceback
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import IO, Any, ClassVar, NoReturn

import pyte
from wcwidth import wcwidth

# How long ems may take for what it owes at once, and for much work.
ANSWER_SECONDS = 20.0
WORK_SECONDS = 900.0
# A screen that says nothing new for so long is taken for what it will be.
QUIET_SECONDS = 0.15
# How long a shell has for the answer to a Tab, before the key is pressed again.
TAB_SECONDS = 8.0
# As wide as it takes for a line of these cases not to be wrapped.
WIDE = 200
# The terminal of the manners.
COLUMNS, ROWS = 80, 24
# How many records the import has that is interrupted.
BULK = 50_000
PASSWORD = "Example123!"

TAB, ENTER, UP, INTERRUPT, END = "\t", "\r", "\x1b[A", "\x03", "\x04"


class Failure(Exception):
    """What a case found to be wrong, in words."""


class Skipped(Exception):
    """What a case stands on is not there."""


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failure(otherwise)


def same(what: str, found: object, *expected: object) -> None:
    wanted = " or ".join(repr(value) for value in expected)
    expect(found in expected, f"{what} is {found!r}, not {wanted}")


def has(what: str, text: str, *patterns: str) -> None:
    for pattern in patterns:
        expect(re.search(pattern, text) is not None, f"{what} has no {pattern!r}: {text!r}")


def has_not(what: str, text: str, *patterns: str) -> None:
    for pattern in patterns:
        found = re.search(pattern, text)
        expect(found is None, f"{what} has {found and found.group()!r}: {text!r}")


# --- The screen, and what is in front of it ---


class Screen(pyte.Screen):
    """A screen that gives each character as many cells as terminals do."""

    def __init__(self, columns: int, lines: int, answer: Callable[[str], object]) -> None:
        super().__init__(columns, lines)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        """What a terminal says of itself when it is asked."""
        self._answer(data)

    def draw(self, data: str) -> None:
        # Unlike the original, what has no width never wraps, joins the character before it and
        # not the second half of it, and does not end the text; a wide one is never torn apart.
        for character in data.translate(self.g1_charset if self.charset else self.g0_charset):
            width = wcwidth(character)
            if width <= 0:
                self._join(character)
                continue
            if self.cursor.x + width > self.columns:
                self.carriage_return()
                self.linefeed()
            line = self.buffer[self.cursor.y]
            line[self.cursor.x] = self.cursor.attrs._replace(data=character)
            if width == 2:
                line[self.cursor.x + 1] = self.cursor.attrs._replace(data="")
            self.cursor.x += width

    def _join(self, character: str) -> None:
        line = self.buffer[self.cursor.y]
        place = self.cursor.x - 1
        while place > 0 and not line[place].data:
            place -= 1
        if place >= 0 and (unicodedata.combining(character) or wcwidth(character) == 0):
            line[place] = line[place]._replace(data=line[place].data + character)

    def cells(self, row: int) -> list[str]:
        """What each cell shows; the second half of a wide character is empty."""
        return [self.buffer[row][column].data for column in range(self.columns)]

    def rows(self) -> list[str]:
        """The text of all rows down to the last that has any."""
        texts = ["".join(self.cells(row)).rstrip() for row in range(self.lines)]
        while texts and not texts[-1]:
            texts.pop()
        return texts


ESCAPES = re.compile(
    # Control sequences, operating system commands, and the shorter ones (ECMA-48).
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A program in a terminal of its own."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        place: Path,
        *,
        columns: int = WIDE,
        rows: int = 50,
        depth: int | None = None,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> None:
        """
        :param depth: how many rows are kept to be looked at, where that is more than the
            program is told of.
        :param stdin: what is read instead of the keyboard; likewise the other streams.
        """
        self.raw = bytearray()
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        termios.tcsetwinsize(self._slave, (rows, columns))
        self.screen = Screen(columns, depth or rows, self.press)
        self._stream = pyte.ByteStream(self.screen)
        slave = self._slave
        # Unlike by pty.fork, signals are as at the start of a program. The slave stays open
        # here, so that it can be asked how the program left it.
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=place,
            stdin=stdin or slave,
            stdout=stdout or slave,
            stderr=stderr or slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0) and None,
        )

    def press(self, keys: str) -> int:
        """:return: a mark: what comes afterwards is told by ``since``."""
        mark = len(self.raw)
        rest = keys.encode()
        deadline = time.monotonic() + Bench.seconds
        while rest:
            if select.select([], [self._master], [], 0.1)[1]:
                rest = rest[os.write(self._master, rest) :]
            else:
                # It may be waiting for its words to be read.
                self._read(0)
                expect(time.monotonic() < deadline, f"{keys!r} is not taken")
        return mark

    def wait(
        self,
        what: str,
        holds: Callable[[], bool],
        seconds: float | None = None,
        *,
        is_settled: bool = True,
    ) -> None:
        """Waits until something is true, and (where it is settled) nothing new comes."""
        seconds = Bench.seconds if seconds is None else seconds
        deadline = time.monotonic() + seconds
        while True:
            if holds() and not (is_settled and self._read(QUIET_SECONDS)):
                return
            left = deadline - time.monotonic()
            expect(left > 0, f"{what} has not come within {seconds:g} s")
            if not self._read(min(left, 0.1)) and self._process.poll() is not None:
                # What it said last.
                while self._read(0.1):
                    pass
                expect(holds(), f"{what} has not come before the end, {self._end()}")
                return

    def wait_for(self, pattern: str, mark: int = 0, seconds: float | None = None) -> None:
        self.wait(
            repr(pattern),
            lambda: re.search(pattern, self.since(mark)) is not None,
            seconds,
            is_settled=False,
        )

    def wait_line(self, line: str, seconds: float | None = None) -> None:
        """Waits until this, and no more, is left of the cursor."""
        self.wait(f"the line {line!r}", lambda: self.line == line, seconds)

    def quiet(self) -> None:
        """Waits until nothing new comes for a while, or for long enough."""
        deadline = time.monotonic() + Bench.seconds
        while self._read(2 * QUIET_SECONDS) and time.monotonic() < deadline:
            pass

    def finish(self, seconds: float | None = None) -> int:
        """:return: the exit status; negative where a signal ended the program."""
        seconds = Bench.seconds if seconds is None else seconds
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            expect(time.monotonic() < deadline, f"there is no end within {seconds:g} s")
            self._read(0.05)
        while self._read(0.1):
            pass
        return self._process.returncode

    def ends_with(self, status: int, seconds: float | None = None) -> str:
        """:return: all that was said."""
        same("the exit status", self.finish(seconds), status)
        return self.since(0)

    @property
    def line(self) -> str:
        """What is left of the cursor."""
        cursor = self.screen.cursor
        return "".join(self.screen.cells(cursor.y)[: cursor.x])

    def since(self, mark: int) -> str:
        """What was said since then, without what only moves the cursor or colours."""
        return ESCAPES.sub("", self.said(mark)).replace("\r\n", "\n")

    def said(self, mark: int = 0) -> str:
        """What was said since then, as it came."""
        return self.raw[mark:].decode(errors="replace")

    @property
    def is_echoing(self) -> bool:
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    @property
    def is_editing(self) -> bool:
        """Whether keys are read one by one, as a line editor does."""
        return not termios.tcgetattr(self._slave)[3] & termios.ICANON

    def close(self) -> None:
        """Ends what is left."""
        if self._process.poll() is None:
            with suppress(OSError):
                os.killpg(os.tcgetpgrp(self._master), signal.SIGKILL)
            self._process.kill()
            self._process.wait(timeout=10)
        for descriptor in (self._master, self._slave):
            os.close(descriptor)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        data = os.read(self._master, 1 << 16)
        self.raw += data
        self._stream.feed(data)
        return True

    def _end(self) -> str:
        status = self._process.returncode
        return f"signal {-status}" if status < 0 else f"status {status}"


class Prompting:
    """A program that asks for a line, again and again."""

    def __init__(self, terminal: Terminal, prompt: str) -> None:
        self.terminal = terminal
        self.prompt = prompt

    def ready(self, seconds: float | None = None) -> None:
        self.terminal.wait_line(self.prompt, seconds)

    def interrupt(self) -> None:
        """Presses Ctrl-C, and waits for the next prompt, which may come behind a ``^C``."""
        self.terminal.press(INTERRUPT)
        self.terminal.wait(
            "a prompt", lambda: self.terminal.line in (self.prompt, "^C" + self.prompt)
        )
        if self.terminal.line != self.prompt:
            self.terminal.press(ENTER)
        self.ready()

    def type(self, text: str, prompt: str | None = None) -> int:
        """Types without Enter, and sees that it arrives."""
        mark = self.terminal.press(text)
        self.terminal.wait_line((self.prompt if prompt is None else prompt) + text)
        return mark

    def enter(self, text: str, prompt: str | None = None) -> int:
        """Types a line, and does not wait for what comes of it."""
        self.type(text, prompt)
        return self.terminal.press(ENTER)

    def run(self, text: str, seconds: float | None = None) -> str:
        """:return: what was said until the next prompt."""
        mark = self.enter(text)
        self.ready(seconds)
        return self.terminal.since(mark).removesuffix(self.prompt)

    def answer_secretly(self, mark: int, secret: str) -> None:
        """Gives the same answer to all questions that come before the next prompt."""

        def is_asked() -> bool:
            return re.search(r"\w.*: *$", self.terminal.since(mark)) is not None

        # Asked twice, and once more where something is wrong.
        for _ in range(4):
            self.terminal.wait(
                "a question, or the prompt",
                lambda: self.terminal.line == self.prompt or is_asked(),
            )
            if self.terminal.line == self.prompt:
                return
            expect(not self.terminal.is_echoing, "the answer would be echoed")
            mark = self.terminal.press(secret + ENTER)
        self.ready()

    def complete(self, typed: str, wanted: str) -> None:
        """Presses Tab; whether a space comes after a value is left to the shell.

        Completion passes over a store that does not answer within two seconds, as on a busy
        machine: a person presses the key once more.
        """
        self.type(typed)
        lines = {self.prompt + wanted, self.prompt + wanted.rstrip() + " "}
        for _ in range(2):
            self.terminal.press(TAB)
            with suppress(Failure):
                self.terminal.wait("a change", lambda: self.terminal.line in lines, TAB_SECONDS)
                return
        self.terminal.press(TAB)
        self.terminal.wait(f"the line {wanted!r}", lambda: self.terminal.line in lines)


# --- What all cases stand on ---


class Bench:
    """The program, its surroundings, and what is put into its store."""

    seconds: ClassVar[float] = ANSWER_SECONDS

    # What would change how shells, pagers and ems behave here.
    _UNWANTED: ClassVar = (
        *("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "LANGUAGE"),
        *("PAGER", "EMS_PAGER", "LESS", "LESSOPEN", "LESSCLOSE"),
        *("PS1", "PS2", "PROMPT_COMMAND", "HISTFILE", "ENV", "BASH_ENV", "ZDOTDIR"),
        "EMS_PROFILE",
    )

    def __init__(self, ems: Path, completions: Path, place: Path, record: Path | None) -> None:
        self.ems = str(ems)
        self.completions = completions
        self.record = record
        self.place = place
        self.terminals: list[Terminal] = []
        # Nothing of a former run on the same store is taken for something of this one.
        self.mark = secrets.token_hex(4)
        self.event = secrets.token_hex(16)
        self.store = "mongodb" if os.environ.get("MONGODB_URL") else "sqlite"
        programs = place / "bin"
        programs.mkdir()
        (programs / "ems").symlink_to(ems)
        self._path = f"{programs}:{os.environ.get('PATH', os.defpath)}"

    def environment(self, **changes: str | None) -> dict[str, str]:
        """The surroundings of a program; ``None`` takes a variable out."""
        wanted: dict[str, str | None] = {
            **os.environ,
            **dict.fromkeys(self._UNWANTED),
            "PATH": self._path,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "INPUTRC": "/dev/null",
            **changes,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.place))

    def open(
        self,
        *command: str,
        env: Mapping[str, str | None] | None = None,
        place: Path | None = None,
        **options: Any,
    ) -> Terminal:
        environment = self.environment(**(env or {}))
        terminal = Terminal(command, environment, place or self.place, **options)
        self.terminals.append(terminal)
        return terminal

    def open_ems(self, *arguments: str, **options: Any) -> Terminal:
        return self.open(self.ems, *arguments, **options)

    def close(self) -> None:
        while self.terminals:
            self.terminals.pop().close()

    def run(
        self,
        *arguments: str,
        text: str = "",
        env: Mapping[str, str | None] | None = None,
        place: Path | None = None,
        statuses: tuple[int, ...] = (0,),
        seconds: float | None = None,
        command: Sequence[str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs ems (or another command) where there is no terminal at all."""
        seconds = self.seconds if seconds is None else seconds
        told = " ".join(["ems", *arguments] if command is None else command)
        try:
            # Bytes, so that no carriage return is lost.
            done = subprocess.run(
                [self.ems, *arguments] if command is None else command,
                input=text.encode(),
                capture_output=True,
                env=self.environment(**(env or {})),
                cwd=place or self.place,
                start_new_session=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failure(f"{told!r}: there is no end within {seconds:g} s") from None
        output, errors = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        if done.returncode not in statuses:
            ends = f"{errors[-500:]!r}, {output[-500:]!r}"
            raise Failure(f"{told!r} ends with {done.returncode}, not {statuses}: {ends}")
        return subprocess.CompletedProcess(done.args, done.returncode, output, errors)

    def lines(self, *arguments: str) -> list[str]:
        return self.run(*arguments, seconds=WORK_SECONDS).stdout.splitlines()

    def bring(self, *events: Mapping[str, object]) -> None:
        """Stores events, and tells nobody of it."""
        text = "".join(json.dumps(event) + "\n" for event in events)
        self.run(
            *("event", "import", "-", "--format", "jsonl", "--no-notifications"),
            text=text,
            seconds=WORK_SECONDS,
        )

    @cached_property
    def ada(self) -> str:
        """The id of an account whose name is ada."""
        # 73: it is there already.
        email = ("--email", "ada@example.com", "--password-stdin")
        self.run("user", "create", "ada", *email, text=PASSWORD + "\n", statuses=(0, 73))
        return self.run("user", "show", "ada", "-o", "id").stdout.strip()

    @cached_property
    def is_filled(self) -> bool:
        """There is what the completions find."""
        self.bring(sample("A talk", "conference", event_id=self.event))
        return self.ada != ""

    @cached_property
    def season(self) -> str:
        """The tag of more events than a screen has rows."""
        tag = f"season{self.mark}"
        self.bring(*(sample(f"{title_of(n)} {n}", tag) for n in range(60)))
        return tag

    @cached_property
    def crowd(self) -> str:
        """The tag of more events than a pipe holds."""
        tag = f"crowd{self.mark}"
        self.bring(*(sample(f"Meeting {n}", tag) for n in range(3000)))
        return tag


def sample(title: str, *tags: str, **fields: object) -> dict[str, object]:
    return {
        "title": title,
        "description": "",
        "location": "",
        "start_time": "2040-03-01T09:00:00Z",
        "end_time": "2040-03-01T17:00:00Z",
        "tags": [*tags],
        **fields,
    }


# --- Completions of other people's shells ---

# How each is started, made ready, and what its prompt becomes.
SHELLS = {
    "bash": (
        ["bash", "--norc", "-i"],
        "source /usr/share/bash-completion/bash_completion; source {completions}/ems.bash;"
        " PS1='(bash) '",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "fpath=({completions} $fpath); autoload -Uz compinit; compinit -D -u; PROMPT='(zsh) '",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "source {completions}/ems.fish; function fish_prompt; echo -n '(fish) '; end",
    ),
}


def shell_with_completions(bench: Bench, name: str, **options: Any) -> Prompting:
    command, setup = SHELLS[name]
    if shutil.which(name) is None:
        raise Skipped(f"{name} is not installed")
    expect(bench.is_filled, "there is nothing in the store")
    terminal = bench.open(*command, **options)
    # Its first prompt is of any kind.
    terminal.wait("a prompt", lambda: terminal.line.strip() != "")
    terminal.press(setup.format(completions=shlex.quote(str(bench.completions))) + ENTER)
    shell = Prompting(terminal, f"({name}) ")
    shell.ready()
    return shell


def completes(bench: Bench, name: str, typed: str, wanted: str) -> None:
    shell_with_completions(bench, name).complete(typed, wanted)


def completes_profile(bench: Bench, name: str) -> None:
    shell = shell_with_completions(bench, name, env=profiles(bench))
    shell.complete("ems --profile sta", "ems --profile staging ")


def profiles(bench: Bench) -> dict[str, str | None]:
    """:return: the surroundings in which there are staging and production."""
    settings = bench.folder()
    (settings / "ems").mkdir()
    text = "profiles:\n  staging:\n    port: 8001\n  production:\n    port: 8002\n"
    (settings / "ems" / "config.yaml").write_text(text)
    return {"XDG_CONFIG_HOME": str(settings), "EMS_CONFIG": None}


def completes_files(bench: Bench, name: str) -> None:
    place = bench.folder()
    for file in ("alpha.jsonl", "beta.jsonl"):
        (place / file).touch()
    shell = shell_with_completions(bench, name, place=place)
    shell.complete("ems event import al", "ems event import alpha.jsonl ")
    shell.interrupt()
    shell.type("ems event import ")
    mark = shell.terminal.press(TAB)
    shell.terminal.quiet()
    # The second one lists, where the first does not.
    shell.terminal.press(TAB)
    for file in ("alpha.jsonl", "beta.jsonl"):
        shell.terminal.wait_for(re.escape(file), mark)


def completion_cases(bench: Bench) -> "Iterator[Case]":
    one = partial(Case, "completions")
    for name in SHELLS:
        for typed, wanted in [*own_words(bench), ("serve --ro", "serve --role ")]:
            sentence = f"{name} goes on from {'ems ' + typed!r} to {'ems ' + wanted!r}"
            typed, wanted = f"ems {typed}", f"ems {wanted}"
            yield one(sentence, partial(completes, bench, name, typed, wanted))
        sentence = f"{name} knows the profiles of the configuration file"
        yield one(sentence, partial(completes_profile, bench, name))
        sentence = f"{name} offers files where one is imported"
        yield one(sentence, partial(completes_files, bench, name))


def own_words(bench: Bench) -> list[tuple[str, str]]:
    """Beginnings of lines, and what Tab makes of them in every shell, that of ems too."""
    return [
        ("ev", "event "),
        ("event li", "event list "),
        ("event list --st", "event list --status "),
        ("event list --status sch", "event list --status scheduled "),
        ("user show ad", "user show ada "),
        (f"event show {bench.event[:8]}", f"event show {bench.event} "),
        ("event list --tag conf", "event list --tag conference "),
    ]


# --- The shell of ems itself ---


def ems_shell(bench: Bench, *arguments: str, profile: str = "default", **options: Any) -> Prompting:
    expect(bench.is_filled, "there is nothing in the store")
    options["env"] = {
        "XDG_STATE_HOME": str(bench.folder()),
        "EMS_PAGER": "",
        **(options.get("env") or {}),
    }
    terminal = bench.open_ems("shell", *arguments, **options)
    wanted = re.compile(rf"\S.*\b{profile}\b.*\b{bench.store}\b.*> ")
    terminal.wait(
        f"a prompt with {profile} and {bench.store}",
        lambda: wanted.fullmatch(terminal.line) is not None,
    )
    return Prompting(terminal, terminal.line)


def ids(text: str) -> list[str]:
    return re.findall(r"\b[0-9a-f]{32}\b", text)


def is_alive(bench: Bench, shell: Prompting) -> None:
    same("what the shell says of ada", ids(shell.run("user show ada -o id")), [bench.ada])


def shell_shows_profile(bench: Bench) -> None:
    shell = ems_shell(bench, "--profile", "staging", profile="staging", env=profiles(bench))
    is_alive(bench, shell)


def shell_runs(bench: Bench, line: str, *patterns: str) -> None:
    shell = ems_shell(bench)
    has("the answer", shell.run(line), *patterns)
    is_alive(bench, shell)


def shell_completes(bench: Bench, typed: str, wanted: str) -> None:
    ems_shell(bench).complete(typed, wanted)


def shell_cancels(bench: Bench) -> None:
    shell = ems_shell(bench)
    mark = shell.type("event lis")
    shell.interrupt()
    has_not("the answer", shell.terminal.since(mark), "there is no", "EVENT_ID")
    is_alive(bench, shell)


def shell_cancels_many_lines(bench: Bench) -> None:
    shell = ems_shell(bench)
    shell.enter("event create --json {")
    shell.terminal.wait_line("> ")
    mark = shell.type('"title": "Never"', prompt="> ")
    shell.interrupt()
    has_not("the answer", shell.terminal.since(mark), "ems: ")
    is_alive(bench, shell)


def shell_interrupts(bench: Bench) -> None:
    shell = ems_shell(bench)
    # What works for one command works for the next.
    for _ in range(2):
        mark = shell.enter("notify watch")
        title = f"Seen {secrets.token_hex(4)}"
        deadline = time.monotonic() + 3 * bench.seconds
        # It may take a while until it watches: what happened before is not shown.
        while title not in shell.terminal.since(mark):
            expect(time.monotonic() < deadline, "notify watch does not show a new event")
            times = ("--start", "2040-03-01T09:00:00Z", "--end", "2040-03-01T17:00:00Z")
            bench.run("event", "create", "--title", title, *times, "-o", "id")
            with suppress(Failure):
                shell.terminal.wait_for(title, mark, seconds=2)
        shell.interrupt()
        is_alive(bench, shell)


def shell_interrupts_question(bench: Bench) -> None:
    shell = ems_shell(bench)
    name = f"eve{secrets.token_hex(4)}"
    mark = shell.enter(f"user create {name} --email {name}@example.com")
    shell.terminal.wait_for("assword", mark)
    shell.interrupt()
    is_alive(bench, shell)
    bench.run("user", "show", name, statuses=(66,))


def shell_takes_json(bench: Bench) -> None:
    shell = ems_shell(bench)
    tag = f"gala{secrets.token_hex(4)}"
    shell.enter("event create --json {")
    for line in (
        '"title": "Gala", "description": "", "location": "",',
        '"start_time": "2040-03-01T09:00:00Z", "end_time": "2040-03-01T17:00:00Z",',
        f'"tags": ["{tag}"]',
    ):
        shell.terminal.wait_line("> ")
        shell.enter(line, prompt="> ")
    shell.terminal.wait_line("> ")
    shell.enter("}", prompt="> ")
    shell.ready()
    found = [json.loads(line) for line in bench.lines("event", "list", "--tag", tag, "-o", "jsonl")]
    same("the titles that are stored", [event["title"] for event in found], ["Gala"])
    is_alive(bench, shell)


def shell_takes_open_quotes(bench: Bench, quote: str) -> None:
    shell = ems_shell(bench)
    tag = f"quote{secrets.token_hex(4)}"
    times = "--start 2040-03-01T09:00:00Z --end 2040-03-01T17:00:00Z"
    shell.enter(f"event create --title Quoted {times} --tag {tag} --description {quote}first line")
    shell.terminal.wait_line("> ")
    shell.enter(f"second line{quote}", prompt="> ")
    shell.ready()
    found = [json.loads(line) for line in bench.lines("event", "list", "--tag", tag, "-o", "jsonl")]
    words = [event["description"].split() for event in found]
    same("what is stored", words, [["first", "line", "second", "line"]])


def shell_repeats(bench: Bench, again: str) -> None:
    shell = ems_shell(bench)
    event = f"event show {bench.event} -o id"
    same("the first answer", set(ids(shell.run(event))), {bench.event})
    if again == "!ev":
        is_alive(bench, shell)
    # The expanded line may be shown, and has an id as well.
    same("the second answer", set(ids(shell.run(again))), {bench.event})
    shell.terminal.press(UP)
    shell.terminal.wait_line(shell.prompt + event)


def shell_remembers_line(bench: Bench) -> None:
    shell = ems_shell(bench)
    is_alive(bench, shell)
    shell.terminal.press(UP)
    shell.terminal.wait_line(shell.prompt + "user show ada -o id")
    mark = shell.terminal.press(ENTER)
    shell.ready()
    same("the answer", ids(shell.terminal.since(mark)), [bench.ada])


def shell_ends(bench: Bench, keys: str) -> None:
    shell = ems_shell(bench)
    # A failure before it changes nothing.
    shell.run("event lst")
    shell.terminal.press(keys)
    shell.terminal.ends_with(0)


def up(shell: Prompting) -> str:
    """:return: the line that the up arrow brings."""
    before = shell.terminal.line
    shell.terminal.press(UP)
    shell.terminal.wait("a former line", lambda: shell.terminal.line != before)
    return shell.terminal.line.removeprefix(shell.prompt)


def shell_keeps_history(bench: Bench, is_place_chosen: bool) -> None:
    state = bench.folder() if is_place_chosen else Path.home() / ".local" / "state"
    env = {"XDG_STATE_HOME": str(state) if is_place_chosen else None}
    line = f"event list --tag {secrets.token_hex(4)}"
    shell = ems_shell(bench, env=env)
    shell.run(line)
    shell.terminal.press("\\q" + ENTER)
    shell.terminal.ends_with(0)
    history = state / "ems" / "history"
    expect(history.is_file(), "there is no history at its place")
    same("the mode of the history", oct(stat.S_IMODE(history.stat().st_mode)), "0o600")
    expect(line in history.read_text().splitlines(), f"the history has no {line!r}")
    shell = ems_shell(bench, env=env)
    # The line that ended the session may be in it as well.
    for _ in range(2):
        if up(shell) == line:
            return
    raise Failure(f"the next session does not know {line!r}")


def shell_keeps_secrets(bench: Bench) -> None:
    state = bench.folder()
    shell = ems_shell(bench, env={"XDG_STATE_HOME": str(state)})
    name = f"bob{secrets.token_hex(4)}"
    mark = shell.enter(f"user create {name} --email {name}@example.com")
    shell.answer_secretly(mark, PASSWORD)
    bench.run("user", "show", name)
    shell.run(f"user show {name} -o id")
    shell.terminal.press(END)
    shell.terminal.ends_with(0)
    has_not("the terminal", shell.terminal.said(), re.escape(PASSWORD))
    history = (state / "ems" / "history").read_text()
    expect(f"user show {name} -o id" in history, "the history has not what came afterwards")
    has_not("the history", history, re.escape(PASSWORD))


def shell_offers_suggestion(bench: Bench) -> None:
    shell = ems_shell(bench)
    has("the answer", shell.run("event lst"), "lst", "did you mean .*event list")
    is_alive(bench, shell)


def script(bench: Bench, *arguments: str, text: str, status: int) -> tuple[str, str]:
    """:return: what ems shell says on stdout and on stderr where it reads a script."""
    expect(bench.is_filled, "there is nothing in the store")
    state = {"XDG_STATE_HOME": str(bench.folder())}
    done = bench.run("shell", *arguments, text=text, env=state, statuses=(status,))
    has_not("what the script says", done.stdout + done.stderr, r"\x1b", f"{bench.store}> ")
    return done.stdout, done.stderr


# The fourth and the sixth line are wrong; the last has no end.
SCRIPT = """# a comment

user show ada -o id
event lst
  # another one
user show nobody_of_this_name
ems user show ada -o id"""


def script_goes_on(bench: Bench) -> None:
    output, errors = script(bench, text=SCRIPT, status=1)
    same("what comes on stdout", output, f"{bench.ada}\n" * 2)
    numbers = re.findall(r"^stdin:(\d+):", errors, re.MULTILINE)
    same("the lines that are told on stderr", [*dict.fromkeys(numbers)], ["4", "6"])
    has("what is told", errors, r"stdin:4:.*event list", r"stdin:6:.*nobody_of_this_name")


def script_succeeds(bench: Bench) -> None:
    text = "# all is well\n\nuser show ada -o id\nems user show ada -o id\n"
    output, errors = script(bench, text=text, status=0)
    same("what comes on stdout", output, f"{bench.ada}\n" * 2)
    same("what comes on stderr", errors, "")


def script_stops(bench: Bench, line: str, status: int) -> None:
    text = f"user show ada -o id\n{line}\nuser show ada -o id\n"
    output, errors = script(bench, "--stop-on-error", text=text, status=status)
    same("what comes on stdout", output, f"{bench.ada}\n")
    has("what comes on stderr", errors, r"^stdin:2:")
    has_not("what comes on stderr", errors, r"stdin:3:")


def script_on_terminal(bench: Bench) -> None:
    expect(bench.is_filled, "there is nothing in the store")
    file = bench.folder() / "script"
    file.write_text(SCRIPT)
    with file.open("rb") as stdin:
        terminal = bench.open_ems("shell", stdin=stdin)
    said = terminal.ends_with(1)
    has_not("the terminal", said, "> ")
    lines = [line for line in said.splitlines() if ids(line) == [line]]
    same("what the commands say", lines, [bench.ada] * 2)


def shell_cases(bench: Bench) -> "Iterator[Case]":
    one = partial(Case, "shell")
    ada = r"ada@example\.com"
    yield one("The prompt shows profile and store", partial(shell_shows_profile, bench))
    sentence = "Commands need no ems before them"
    yield one(sentence, partial(shell_runs, bench, "user show ada", ada))
    sentence = "Commands may have ems before them"
    yield one(sentence, partial(shell_runs, bench, "ems user show ada", ada))
    sentence = "A list comes as a table"
    line = "event list --tag conference"
    yield one(sentence, partial(shell_runs, bench, line, "EVENT_ID", bench.event))
    sentence = "help shows all that there is"
    nouns = (rf"\b{noun}\b" for noun in ("user", "event", "notify", "token"))
    yield one(sentence, partial(shell_runs, bench, "help", *nouns))
    sentence = "help of a noun shows its verbs"
    yield one(sentence, partial(shell_runs, bench, "help event", r"\bcreate\b", r"\bsearch\b"))
    for typed, wanted in own_words(bench):
        sentence = f"Tab goes on from {typed!r} to {wanted!r}"
        yield one(sentence, partial(shell_completes, bench, typed, wanted))
    yield one("Ctrl-C cancels a half-typed line", partial(shell_cancels, bench))
    sentence = "Ctrl-C cancels a line that goes on over several"
    yield one(sentence, partial(shell_cancels_many_lines, bench))
    yield one("Ctrl-C ends a running command only", partial(shell_interrupts, bench))
    sentence = "Ctrl-C at a password question ends that command only"
    yield one(sentence, partial(shell_interrupts_question, bench))
    yield one("JSON goes on over several lines", partial(shell_takes_json, bench))
    for quote, name in (("'", "single"), ('"', "double")):
        sentence = f"What is in {name} quotes goes on over several lines"
        yield one(sentence, partial(shell_takes_open_quotes, bench, quote))
    for again in ("!!", "!ev"):
        yield one(f"{again} repeats a former line", partial(shell_repeats, bench, again))
    yield one("The up arrow brings the last line back", partial(shell_remembers_line, bench))
    for name, keys in (("\\q", "\\q" + ENTER), ("Ctrl-D", END)):
        yield one(f"{name} leaves with status 0", partial(shell_ends, bench, keys))
    sentence = "The history is kept under XDG_STATE_HOME for its owner only"
    yield one(sentence, partial(shell_keeps_history, bench, True))
    sentence = "The history is kept under ~/.local/state where nothing is said"
    yield one(sentence, partial(shell_keeps_history, bench, False))
    sentence = "A password is neither echoed nor kept in the history"
    yield one(sentence, partial(shell_keeps_secrets, bench))
    sentence = "A misspelt verb is told with the right one, and the shell lives"
    yield one(sentence, partial(shell_offers_suggestion, bench))

    sentence = "A script goes on after failures, tells their lines, and ends with 1"
    yield one(sentence, partial(script_goes_on, bench))
    sentence = "A script without failures ends with 0 and says nothing else"
    yield one(sentence, partial(script_succeeds, bench))
    for line, status in (("user show nobody_of_this_name", 66), ("event lst", 64)):
        sentence = f"With --stop-on-error a script ends at {line!r} with {status}"
        yield one(sentence, partial(script_stops, bench, line, status))
    sentence = "A script shows no prompt on a terminal either"
    yield one(sentence, partial(script_on_terminal, bench))


# --- Manners ---

TITLES = {
    "Latin": "A title that is as long as they come, and then goes on for longer than any screen",
    "Japanese": "東京国際会議場で開かれる年に一度の技術者のための長い会議の題名",
    "Korean": "서울에서 열리는 개발자 회의의 아주 긴 제목입니다 그리고 더",
    "decomposed Korean": unicodedata.normalize("NFD", "서울 개발자 회의 한국어"),
    "full-width": "ＦＵＬＬ－ＷＩＤＴＨ　ＴＩＴＬＥ　ＯＦ　ＡＮ　ＥＶＥＮＴ",
    "emoji": "🎉🎊🚀🌍🔥🎵⏰⭐✅🍕🏆🎂🎈🎁🎄🎃🎆🎇🧨🥳🤖👾🦊🐳🐧🌈🌻🍀🍎🍩",
    "combining": unicodedata.normalize("NFD", "Crème brûlée à l'été, où déjà l'œuvre élève à"),
    "stacked combining": "Z\u0351\u034b\u0302a\u0309\u033f\u0344l\u0308\u0307\u0323g\u0301" * 6,
    "Thai": "การประชุมวิชาการนานาชาติครั้งที่สิบสองที่กรุงเทพมหานคร",
    "Arabic": "مُؤْتَمَر التِّقْنِيَّة السَّنَوِيّ في فِيينَّا لِلمُبَرمِجِين",
    "Tangut": "𗼇𗟲𘝞𗖰𗼇𗟲𘝞𗖰𗼇𗟲𘝞𗖰𗼇𗟲𘝞𗖰",
    "Devanagari": "क्षत्रज्ञक्षत्रज्ञक्षत्रज्ञक्षत्रज्ञक्षत्रज्ञ",
}
# Where terminals differ most, or programs err most: looked at by themselves only.
RARE = {"Tangut", "Devanagari"}


def title_of(number: int) -> str:
    usual = [title for name, title in TITLES.items() if name not in RARE]
    # Each in several lengths, so that it is cut at each place.
    title, length = usual[number % len(usual)], 4 + number // len(usual) * 9
    return title[:length]


LOOKS = {
    "EVENT_ID": r"[0-9a-f]{32}\s",
    "START_TIME": r"2040-03-01T09:00",
    "STATUS": r"scheduled",
}


def table_is_aligned(terminal: Terminal, count: int) -> None:
    """There is a table of so many rows; none is wrapped, and each has its columns' places."""
    screen = terminal.screen
    texts = screen.rows()
    heads = [row for row, text in enumerate(texts) if text.startswith("EVENT_ID")]
    same("how many headers the screen has", len(heads), 1)
    header = texts[heads[0]]
    places = {found.group(): found.start() for found in re.finditer(r"\S+", header)}
    expect(len(places) >= 3, f"the table has only these columns: {header!r}")
    # What is said below the table stands in parentheses.
    rows = [row for row in range(heads[0] + 1, len(texts)) if not texts[row].startswith("(")]
    for row in rows:
        cells = screen.cells(row)
        for name, place in places.items():
            rest = "".join(cells[place:])
            is_there = cells[place].strip() != "" and (place == 0 or cells[place - 1] == " ")
            is_right = re.match(LOOKS.get(name, ""), rest) is not None
            if not (is_there and is_right):
                raise Failure(f"{name} of {texts[row]!r} is not below its name")
    same("how many lines the table has", len(rows), count)


def fits_terminal(bench: Bench) -> None:
    arguments = ("event", "list", "--tag", bench.season)
    options = {"columns": COLUMNS, "rows": ROWS, "depth": 200}
    terminal = bench.open_ems(*arguments, env={"EMS_PAGER": ""}, **options)
    terminal.ends_with(0)
    table_is_aligned(terminal, 60)


def fits_with(bench: Bench, name: str) -> None:
    tag = f"script{secrets.token_hex(4)}"
    lengths = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
    # The same title would be the same event.
    titles = [*dict.fromkeys(TITLES[name][:length].strip() for length in lengths)]
    bench.bring(*(sample(title, tag) for title in titles), sample("plain", tag))
    for columns in (COLUMNS, 100, 120):
        arguments = ("event", "list", "--tag", tag)
        terminal = bench.open_ems(*arguments, columns=columns, rows=ROWS)
        terminal.ends_with(0)
        table_is_aligned(terminal, len(titles) + 1)


def marking_pager(bench: Bench) -> tuple[Path, Path]:
    """:return: a program that passes everything on, and the file that tells it was run."""
    folder = bench.folder()
    program, mark = folder / "pager", folder / "was-run"
    program.write_text(f"#!/bin/sh\n: > {shlex.quote(str(mark))}\nexec cat\n")
    program.chmod(0o755)
    return program, mark


LONG = ("event", "list", "--tag")


def uses_pager(bench: Bench, variables: Mapping[str, str | None]) -> None:
    """The variables say ``PROGRAM`` where the pager that marks its use is meant."""
    program, mark = marking_pager(bench)
    env = {name: str(program) if value == "PROGRAM" else value for name, value in variables.items()}
    options = {"columns": COLUMNS, "rows": ROWS, "depth": 200}
    terminal = bench.open_ems(*LONG, bench.season, env=env, **options)
    terminal.ends_with(0)
    table_is_aligned(terminal, 60)
    expect(mark.exists(), "the pager was not run")


def uses_no_pager(bench: Bench, *arguments: str, env: Mapping[str, str], count: int = 60) -> None:
    program, mark = marking_pager(bench)
    options = {"columns": COLUMNS, "rows": ROWS, "depth": 200}
    env = {"PAGER": str(program), **env}
    terminal = bench.open_ems(*LONG, bench.season, *arguments, env=env, **options)
    terminal.ends_with(0)
    table_is_aligned(terminal, count)
    expect(not mark.exists(), "the pager was run")


def uses_no_pager_elsewhere(bench: Bench) -> None:
    program, mark = marking_pager(bench)
    output = bench.folder() / "output"
    with output.open("wb") as stdout:
        terminal = bench.open_ems(*LONG, bench.season, env={"PAGER": str(program)}, stdout=stdout)
        terminal.ends_with(0)
    same("how many lines there are", len(output.read_text().splitlines()), 61)
    expect(not mark.exists(), "the pager was run")


def uses_less(bench: Bench) -> None:
    less = shutil.which("less")
    if less is None:
        raise Skipped("less is not installed")
    folder = bench.folder()
    told = folder / "told"
    program = folder / "less"
    program.write_text(
        f'#!/bin/sh\necho "$LESS $*" > {shlex.quote(str(told))}\nexec {shlex.quote(less)} "$@"\n'
    )
    program.chmod(0o755)
    env = {"PATH": f"{folder}:{bench.environment()['PATH']}"}
    terminal = bench.open_ems(*LONG, bench.season, env=env, columns=COLUMNS, rows=ROWS)
    terminal.wait("the prompt of less", lambda: terminal.line.strip() in (":", "(END)"))
    expect(told.exists(), "less was not run")
    letters = set("".join(re.findall(r"-?\b([A-Za-z]+)\b", told.read_text())))
    expect(letters >= set("FRX"), f"less was run with {told.read_text()!r}, not all of -FRX")
    terminal.press("q")
    terminal.ends_with(0)


def is_coloured(bench: Bench, is_wanted: bool, *arguments: str, env: Mapping[str, str]) -> None:
    expect(bench.is_filled, "there is nothing in the store")
    # What is listed, what is shown, and what is wrong.
    for command, status in (
        (("event", "list", "--tag", "conference"), 0),
        (("event", "show", bench.event), 0),
        (("event", "list", "--titel"), 64),
    ):
        terminal = bench.open_ems(*command, *arguments, env={"EMS_PAGER": "", **env})
        terminal.ends_with(status)
        if not is_wanted:
            has_not("the terminal", terminal.said(), r"\x1b")
        elif status == 0:
            has("the terminal", terminal.said(), COLOURS.pattern)


def is_coloured_in_pipe(bench: Bench, is_wanted: bool, env: Mapping[str, str]) -> None:
    expect(bench.is_filled, "there is nothing in the store")
    done = bench.run("event", "list", "--tag", "conference", env=env)
    if is_wanted:
        has("the pipe", done.stdout, COLOURS.pattern)
    else:
        has_not("the pipe", done.stdout + done.stderr, r"\x1b")


def survives_head(bench: Bench) -> None:
    line = '"$0" event list --tag "$1" -o jsonl --all | head -1; echo "${PIPESTATUS[*]}"'
    done = bench.run(command=["bash", "-c", line, bench.ems, bench.crowd])
    first, statuses = done.stdout.splitlines()
    expect(bench.crowd in json.loads(first)["tags"], f"another event came: {first!r}")
    same("the statuses of the pipeline", statuses, "0 0")
    same("what comes on stderr", done.stderr, "")


# What a terminal would obey: a title for its window, a colour, a bell, a C1 control
# sequence, a cleared screen, turned text, and text that is turned unseen.
HOSTILE = "evil\x1b]0;obeyed\x07\x1b[35;45mred\x9b36mcyan\x1b[2J\u202egpj\u2066exe\u2069\x08\x7f\r!"
# Where a carriage return would be the end of a line.
EVIL = HOSTILE.replace("\r", "")
THREATS = re.compile(
    r"\x1b\]|\x1b\[35;45m|\x1b\[2J|\x1b(?![\[()=>78])|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]"
    r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


# A progress line, and a line editor, go back to the beginning of their own line.
RETURN = r"\r(?!!)"


def is_harmless(what: str, said: str, *, allowed: str = r"\r\n") -> None:
    said = re.sub(allowed, "", said)
    if found := THREATS.search(said):
        around = said[max(0, found.start() - 40) : found.end() + 40]
        raise Failure(f"{what} has {found.group()!r} as it came: {around!r}")


def hostile_lines(tag: str) -> list[str]:
    """Records whose parts a terminal would obey."""
    records: list[dict[str, object]] = []
    alone = ("bell\x07", "escape\x1b[35;45m", "c1\x9b35m", "turned\u202egpj", "hidden\u2066exe")
    for part in (HOSTILE, *alone):
        records += [
            sample(part, tag),
            sample(f"d {part}"[:30], tag, description=part),
            sample(f"l {part}"[:30], tag, location=part),
            sample("In the tag", tag, part),
            sample("In the time", tag, start_time=part),
            sample("In the status", tag, status=part),
            sample("In the id", tag, event_id=part),
            sample("In the address", tag, attachment_url=f"https://example.com/{part}"),
            sample("In a name", tag, **{part: part}),
        ]
    lines = [json.dumps(record) for record in records]
    # Not even JSON.
    return [*lines, EVIL, f'{{"{EVIL}', sample_line("good", tag)]


def sample_line(title: str, *tags: str) -> str:
    return json.dumps(sample(title, *tags))


def import_is_harmless(bench: Bench, is_named_so: bool) -> None:
    """Bad records are told, and the good ones shown, without anything that is obeyed."""
    expect(bench.is_filled, "there is nothing in the store")
    tag = f"evil{secrets.token_hex(4)}"
    name = (HOSTILE.replace("/", "") if is_named_so else "evil") + ".jsonl"
    file = bench.folder() / name
    file.write_text("\n".join(hostile_lines(tag)) + "\n")
    for options in ((), ("--dry-run",), ("--atomic",)):
        terminal = bench.open_ems("event", "import", str(file), *options, rows=ROWS)
        status = terminal.finish()
        expect(status in (0, 3, 65), f"the status is {status}")
        is_harmless("the import", terminal.said(), allowed=RETURN)
    # What the rules let through, in every place where it is shown.
    stored = bench.lines("event", "list", "--tag", tag, "--all", "-o", "id")
    expect(len(stored) >= 1, "the good record was not stored")
    env = {"EMS_PAGER": ""}
    for command in (
        ("event", "list", "--tag", tag, "--all"),
        ("notify", "list", "--user", "ada"),
        *(("event", "show", identifier) for identifier in stored[:10]),
    ):
        terminal = bench.open_ems(*command, env=env)
        terminal.ends_with(0)
        is_harmless(" ".join(command), terminal.said())
    shell = ems_shell(bench)
    mark = len(shell.terminal.raw)
    for line in (f"event list --tag {tag} --all", *(f"event show {name}" for name in stored[:10])):
        shell.run(line)
    is_harmless("the shell", shell.terminal.said(mark), allowed=RETURN)


def table_file_is_harmless(bench: Bench) -> None:
    """Names of columns are repeated where they mean nothing."""
    file = bench.folder() / "evil.csv"
    file.write_text(f"title,start_time,end_time,{EVIL}\n{EVIL},{EVIL},x,y\n")
    for options in ((), ("--map", f"{EVIL}=location"), ("--map", f"title={EVIL}")):
        terminal = bench.open_ems("event", "import", str(file), *options)
        status = terminal.finish()
        expect(status in (3, 64, 65), f"the status is {status}")
        is_harmless("the import", terminal.said(), allowed=RETURN)


def errors_are_harmless(bench: Bench) -> None:
    expect(bench.is_filled, "there is nothing in the store")
    wrong: list[str] = []
    mails = ("--email", "evil@example.com", "--password-file", "/dev/null")
    for command in (
        (HOSTILE,),
        (f"--{HOSTILE}",),
        ("event", HOSTILE),
        ("event", "list", HOSTILE),
        ("event", "list", f"--{HOSTILE}"),
        ("event", "list", "--status", HOSTILE),
        ("event", "list", "--tag", HOSTILE),
        ("event", "list", "--sort", HOSTILE),
        ("event", "list", "--limit", HOSTILE),
        ("event", "list", "--columns", HOSTILE),
        ("event", "list", "--time-zone", HOSTILE),
        ("event", "list", "--created-by", HOSTILE),
        ("event", "list", "--config", HOSTILE),
        ("event", "list", "--profile", HOSTILE),
        ("event", "list", "--data-dir", f"/dev/null/{HOSTILE}"),
        ("event", "show", HOSTILE),
        ("event", "import", HOSTILE),
        ("event", "import", f"{HOSTILE}.jsonl"),
        ("event", "create", "--title", HOSTILE, "--start", HOSTILE, "--end", HOSTILE),
        ("event", "create", "--json", f'{{"{HOSTILE}": 1}}'),
        ("event", "search", HOSTILE, "--near", HOSTILE),
        ("user", "show", HOSTILE),
        ("user", "create", HOSTILE, *mails),
        ("user", "create", "evil", "--full-name", HOSTILE, *mails),
        ("notify", "list", "--user", HOSTILE),
        ("config", "show", HOSTILE),
        ("help", HOSTILE),
    ):
        terminal = bench.open_ems(*command, env={"EMS_PAGER": ""})
        terminal.finish()
        try:
            is_harmless(" ".join(word for word in command if word != HOSTILE), terminal.said())
        except Failure as failure:
            wrong.append(str(failure))
    expect(not wrong, "; ".join(wrong))


def script_is_harmless(bench: Bench) -> None:
    expect(bench.is_filled, "there is nothing in the store")
    text = f"event {EVIL}\nevent show '{EVIL}'\n'{EVIL}\n"
    done = bench.run("shell", text=text, statuses=(1,))
    is_harmless("a script's errors", done.stdout + done.stderr)


def rows_file(place: Path, name: str, tag: str, count: int) -> Path:
    file = place / name
    with file.open("w") as output:
        output.writelines(sample_line(f"Row {n}", tag) + "\n" for n in range(count))
    return file


def is_progress(text: str) -> bool:
    return re.search(f"(?s){RATE}.*({REST})", text) is not None


RATE = r"[\d,.]+ *(?:[a-z]+ *)?/ *s"
REST = r"left|remaining|ETA"


def import_is_interrupted(bench: Bench) -> None:
    tag = f"bulk{secrets.token_hex(4)}"
    file = rows_file(bench.folder(), "bulk.jsonl", tag, BULK)
    terminal = bench.open_ems("event", "import", str(file), columns=100, rows=ROWS)
    terminal.wait_for(f"(?s){RATE}.*({REST})", seconds=WORK_SECONDS)
    has("the progress", terminal.said(), r"\r")
    mark = terminal.press(INTERRUPT)
    same("the exit status", terminal.finish(), 130)
    last = terminal.since(mark).replace("\r", "\n")
    done = counted(last, "created")
    expect(0 < done < BULK, f"{done} are said to be done")
    has("the last words", last, "(?i)again|goes on|go on|resume|continue")
    # Without a terminal there is no progress.
    again = bench.run("event", "import", str(file), seconds=WORK_SECONDS)
    has_not("what an import says elsewhere", again.stdout + again.stderr, r"\r", r"\x1b", RATE)
    told = again.stdout + again.stderr
    created, skipped = counted(told, "created"), counted(told, "skipped")
    same("what is skipped, where the same import goes on", skipped, done)
    same("what is created and skipped", created + skipped, BULK)
    third = bench.run("event", "import", str(file), "--json-summary", seconds=WORK_SECONDS)
    counts_of_third = json.loads(third.stdout)
    same("what a third one skips", counts_of_third["skipped"], BULK)
    lines = bench.lines("event", "list", "--tag", tag, "--all", "-o", "jsonl")
    stored = [json.loads(line) for line in lines]
    same("how many are stored", len(stored), BULK)
    twice = [title for title, n in Counter(event["title"] for event in stored).items() if n > 1]
    same("what is stored twice", twice, [])


def counted(text: str, word: str) -> int:
    """How many an import says, at its end, that it has created, skipped …"""
    number = r"\d+(?:,\d{3})*"
    found = re.search(rf"\b{word}:? *({number})|({number}) +(?:\w+ +)?{word}\b", text)
    if found is None:
        raise Failure(f"it does not say how many were {word}: {text!r}")
    return int((found[1] or found[2]).replace(",", ""))


def progress_needs_terminal(bench: Bench) -> None:
    """Only stderr is no terminal."""
    folder = bench.folder()
    file = rows_file(folder, "rows.jsonl", f"rows{secrets.token_hex(4)}", 5000)
    told = folder / "told"
    with told.open("wb") as stderr:
        terminal = bench.open_ems("event", "import", str(file), "--no-notifications", stderr=stderr)
    terminal.ends_with(0, seconds=WORK_SECONDS)
    text = told.read_bytes().decode()
    has("what is told", text, "created")
    has_not("what is told", text, r"\r", r"\x1b", RATE)
    has_not("the terminal", terminal.said(), RATE)


def question_leaves_echo(bench: Bench, keys: str, status: int) -> None:
    name = f"carl{secrets.token_hex(4)}"
    terminal = bench.open_ems("user", "create", name, "--email", f"{name}@example.com")
    expect(terminal.is_echoing, "there was no echo from the beginning")
    terminal.wait_for("assword")
    terminal.wait("the end of the echo", lambda: not terminal.is_echoing)
    terminal.press(keys)
    terminal.ends_with(status)
    expect(terminal.is_echoing, "the echo is still off")
    expect(not terminal.is_editing, "lines are no longer read as lines")


def manners_cases(bench: Bench) -> "Iterator[Case]":
    one = partial(Case, "manners")
    sentence = f"A table of 60 events fits a terminal of {COLUMNS} columns"
    yield one(sentence, partial(fits_terminal, bench))
    for name in TITLES:
        sentence = f"Columns stay in their places beside {name} characters"
        yield one(sentence, partial(fits_with, bench, name))

    sentence = "What is longer than the screen goes through PAGER"
    yield one(sentence, partial(uses_pager, bench, {"PAGER": "PROGRAM"}))
    sentence = "EMS_PAGER goes before PAGER"
    variables = {"EMS_PAGER": "PROGRAM", "PAGER": "false"}
    yield one(sentence, partial(uses_pager, bench, variables))
    yield one("Where no pager is named it is less -FRX", partial(uses_less, bench))
    sentence = "A pager that is cat shows all"
    none = partial(partial, uses_no_pager, bench)
    yield one(sentence, none(env={"PAGER": "cat"}))
    sentence = "What fits on the screen goes through no pager"
    yield one(sentence, none("--limit", "3", env={}, count=3))
    yield one("An empty EMS_PAGER means no pager", none(env={"EMS_PAGER": ""}))
    yield one("--no-pager means no pager", none("--no-pager", env={}))
    sentence = "There is no pager where stdout is no terminal"
    yield one(sentence, partial(uses_no_pager_elsewhere, bench))

    coloured = partial(partial, is_coloured, bench)
    yield one("A terminal gets colours", coloured(True, env={}))
    yield one("A terminal gets no colours with NO_COLOR", coloured(False, env={"NO_COLOR": "1"}))
    yield one("A terminal gets no colours with TERM=dumb", coloured(False, env={"TERM": "dumb"}))
    yield one("A terminal gets no colours with --no-color", coloured(False, "--no-color", env={}))
    yield one("A pipe gets no colours", partial(is_coloured_in_pipe, bench, False, {}))
    sentence = "A pipe gets colours with CLICOLOR_FORCE"
    yield one(sentence, partial(is_coloured_in_pipe, bench, True, {"CLICOLOR_FORCE": "1"}))

    sentence = "A reader that goes away is no error"
    yield one(sentence, partial(survives_head, bench))

    sentence = "Nothing of a hostile record is obeyed by the terminal"
    yield one(sentence, partial(import_is_harmless, bench, False))
    sentence = "Nothing of a hostile file name is obeyed by the terminal"
    yield one(sentence, partial(import_is_harmless, bench, True))
    sentence = "Nothing of a hostile csv header is obeyed by the terminal"
    yield one(sentence, partial(table_file_is_harmless, bench))
    sentence = "Nothing of a hostile argument is obeyed by the terminal"
    yield one(sentence, partial(errors_are_harmless, bench))
    sentence = "Nothing of a hostile script is obeyed by the terminal"
    yield one(sentence, partial(script_is_harmless, bench))

    sentence = "An import shows its progress on a terminal only"
    yield one(sentence, partial(progress_needs_terminal, bench))
    sentence = f"An import of {BULK} rows goes on after Ctrl-C"
    yield one(sentence, partial(import_is_interrupted, bench))
    sentence = "Ctrl-C at a password question ends with 130 and leaves the echo on"
    yield one(sentence, partial(question_leaves_echo, bench, INTERRUPT, 130))
    sentence = "Ctrl-C amid a password ends with 130 and leaves the echo on"
    yield one(sentence, partial(question_leaves_echo, bench, "Exam" + INTERRUPT, 130))


# --- A stranger's session ---

# What must never be shown to people.
INNARDS = re.compile(
    r"Fatal error|Error Domain|NSError|CocoaError|DecodingError|EMSError|Optional\(|_?\$s\d"
    r"|\b(?:Swift|Foundation|EMS[A-Z]\w+|ArgumentParser|GRDB|Yams|NIO\w*)\.[A-Za-z_]\w*"
    r"|\.swift:\d+|\b(?:Array|Dictionary|Result|Set)<|Stack dump|[Bb]acktrace|Current stack trace"
    r"|Thread \d+.*crashed|Segmentation fault|Illegal instruction|Trace/|core dumped|Aborted"
    r"|^ *#?\d+ +.*0x[0-9a-f]{8,}",
    re.MULTILINE,
)


def stranger(bench: Bench) -> None:
    place = bench.folder()
    name = f"grace{secrets.token_hex(3)}"
    season = f"tour{secrets.token_hex(3)}"
    # As long as it takes to press Ctrl-C in it.
    rows_file(place, "season.jsonl", season, 20_000)
    good = [sample_line(title, season) for title in ("Opening", "Closing")]
    bad = ['{"title": "No time"}', "not JSON at all", json.dumps(sample("", season))]
    (place / "mixed.jsonl").write_text("\n".join([good[0], *bad, good[1]]) + "\n")
    terminal = bench.open(
        *("bash", "--norc", "-i"),
        env={"PS1": "$ ", "PAGER": "cat"},
        place=place,
        columns=100,
        rows=40,
        depth=2000,
    )
    moments: list[str] = []
    try:
        visit(terminal, name, moments)
    finally:
        rows = terminal.screen.rows()
        if bench.record is not None:
            meanwhile = (f"--- on the screen while it imports ---\n{text}" for text in moments)
            bench.record.write_text("\n\n".join(["\n".join(rows), *meanwhile]) + "\n")
    text = "\n".join([*rows, *moments])
    found = [text[max(0, one.start() - 40) : one.end() + 60] for one in INNARDS.finditer(text)]
    expect(not found, f"people are shown {found[:10]!r}")


def visit(terminal: Terminal, name: str, moments: list[str]) -> None:
    """Does what somebody does who does not know ems yet."""
    shell = Prompting(terminal, "$ ")
    shell.ready()

    def step(line: str) -> None:
        shell.run(line, seconds=WORK_SECONDS)

    step("ems --help")
    mark = shell.enter(f"ems user create {name} --email {name}@example.com --role admin")
    shell.answer_secretly(mark, PASSWORD)
    step("ems event create --title 'Tech Conference' --start 2040-03-01T09:00Z --end 2040-03-02")
    step("ems event list --limit 10")
    step("ems event create --titel Gala")
    step("ems event lst")
    step("ems event import mixed.jsonl")

    mark = shell.enter("ems event import season.jsonl")
    terminal.wait(
        "a progress line, or the end",
        lambda: terminal.line == shell.prompt or is_progress(terminal.since(mark)),
        WORK_SECONDS,
        is_settled=False,
    )
    moments.append("\n".join(terminal.screen.rows()[-3:]))
    if terminal.line != shell.prompt:
        terminal.press(INTERRUPT)
    shell.ready()
    step("echo $?")
    step("ems event import season.jsonl")

    shell.enter("ems shell")
    terminal.wait("the prompt of ems, or the end", lambda: terminal.line.endswith(("> ", "$ ")))
    if terminal.line != shell.prompt:
        inner = Prompting(terminal, terminal.line)
        inner.run(f"user show {name}")
        inner.run("event list --limit 3")
        inner.run("event lst")
        inner.enter("\\q")
    shell.ready()
    step("ems doctor")
    step("ems user show nobody_of_this_name")


def record_cases(bench: Bench) -> "Iterator[Case]":
    sentence = "A stranger's session shows nothing of the inside"
    yield Case("record", sentence, partial(stranger, bench))


# --- All of it ---


@dataclass(frozen=True)
class Case:
    group: str
    sentence: str
    check: Callable[[], None]


GROUPS: dict[str, Callable[[Bench], Iterator[Case]]] = {
    "completions": completion_cases,
    "shell": shell_cases,
    "manners": manners_cases,
    "record": record_cases,
}


def trouble(bench: Bench, tried: Case) -> str | None:
    """Returns what is wrong, as YAML; None where all is well."""
    try:
        tried.check()
    except Skipped:
        raise
    except Exception as error:
        words = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        steps = traceback.extract_tb(error.__traceback__)
        way = [f"{step.name}:{step.lineno}" for step in steps if step.filename == __file__]
        text = f"  ---\n  message: {json.dumps(words)}\n  at: {json.dumps(' > '.join(way))}\n"
        if bench.terminals:
            text += "  screens:\n"
        for terminal in bench.terminals[-3:]:
            rows = terminal.screen.rows()[-100:]
            lines = "".join(f"      | {shown(row)}\n" for row in rows)
            text += f"    - |\n{lines}      |_\n"
        return text + "  ..."
    return None


def shown(row: str) -> str:
    """What came through is not passed on to the terminal of who reads this."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in row)


def run(bench: Bench, tried: Sequence[Case]) -> bool:
    is_well = True
    print(f"1..{len(tried)}", flush=True)
    for number, one in enumerate(tried, start=1):
        name = f"{number} - {one.group}: {one.sentence}".replace("\\", "\\\\").replace("#", "\\#")
        try:
            wrong = trouble(bench, one)
            print(f"{'not ok' if wrong else 'ok'} {name}")
            if wrong:
                is_well = False
                print(wrong)
        except Skipped as reason:
            print(f"ok {name} # SKIP {reason}")
        finally:
            bench.close()
        sys.stdout.flush()
    return is_well


class Usage(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(64, f"{self.format_usage()}terminal.py: {message}\n")


def main() -> int:
    usage = Usage(description=(__doc__ or "").splitlines()[0])
    usage.add_argument("--record", type=Path, metavar="FILE", help="where the session is written")
    usage.add_argument("--only", metavar="WORDS", help="only what has these words in its name")
    usage.add_argument("--seconds", type=float, default=ANSWER_SECONDS, help="how long to wait")
    usage.add_argument("ems", type=Path)
    usage.add_argument("completions", type=Path)
    usage.add_argument("case", nargs="*", help=f"some of {', '.join(GROUPS)}")
    given = usage.parse_args()
    if not os.access(given.ems, os.X_OK):
        usage.error(f"{given.ems} is no program")
    if not given.completions.is_dir():
        usage.error(f"{given.completions} is no directory")
    if unknown := set(given.case) - set(GROUPS):
        usage.error(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    Bench.seconds = given.seconds
    print("TAP version 14", flush=True)
    with tempfile.TemporaryDirectory(prefix="ems-terminal-") as place:
        bench = Bench(
            given.ems.absolute(),
            given.completions.absolute(),
            Path(place),
            given.record and given.record.absolute(),
        )
        chosen = [case for name in given.case or GROUPS for case in GROUPS[name](bench)]
        if given.only:
            chosen = [case for case in chosen if given.only in f"{case.group}: {case.sentence}"]
        return 0 if run(bench, chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
