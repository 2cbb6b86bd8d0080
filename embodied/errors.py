"""Exceptions of embodied, with their evidence, and problems with place and help.

    EmbodiedError                  exit code
    ├── LaunchError                2    a launch file, a graph or a command line is wrong; carries Problems
    ├── NodeFailed                 3    a node raised, or broke its contract, while it ran
    ├── ResultRejected             3    a step has no result to publish; a running graph counts it and goes on
    ├── WireError                  3    a message does not fit its type where it is published
    ├── WorldFailed                3    the simulator or a body in it broke
    ├── DeviceLost                 3    a device no longer answers
    │   ├── NoDevice               2    a port, device or vehicle of the launch file is not there
    │   └── DeviceInUse            2    another driver, of this or another process, has the device
    ├── WrongDevice                2    a device is not the one that the launch file wants
    ├── NotStopped                 3    a device does not confirm that it has stopped
    ├── NotCalibrated              3    a device cannot be measured, or does not keep what was found
    ├── LinkFailed                 3    a link between processes cannot be made, or broke
    ├── ProcessLost                3    a process ended that the running graph needs
    └── MissingExtra               2    an optional package is not installed

An error carries its evidence as attributes; its message is composed here, not where it is raised.
"""

from __future__ import annotations

import difflib
import traceback
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from embodied.untrusted.text import ERROR_LENGTH, cut, hidden, written_out


@dataclass(frozen=True, slots=True)
class Place:
    """Place of a problem in a file: line and column, both from 1, and the text of the line."""

    file: str
    line: int
    column: int
    text: str = ""
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, with its place, what is expected and what to do next.

    Attributes:
        code: stable number of the kind of problem, `E101`.
        message: what is wrong, in one sentence.
        place: in a file, if there is one.
        help: what to do next, one sentence a line.
        also: second places that belong to it, with a word about each.
        where: what it concerns when no file is involved, `node ik`.
    """

    code: str
    message: str
    place: Place | None = None
    help: tuple[str, ...] = ()
    also: tuple[tuple[Place, str], ...] = ()
    where: str = ""

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {cut(self.message)}"]
        if self.place is not None:
            lines += _excerpt("-->", self.place)
        elif self.where:
            lines.append(f"  --> {cut(self.where)}")
        for place, word in self.also:
            lines += _excerpt(":::", place, word)
        lines += [f"   = help: {cut(line)}" for line in self.help]
        return written_out("\n".join(lines))

    def as_dict(self) -> dict[str, object]:
        """Return the problem as plain data, for `--json`."""
        return {
            "code": self.code,
            "message": cut(self.message),
            "where": cut(str(self.place or self.where)),
            "help": [cut(line) for line in self.help],
            "also": [{"where": str(place), "what": word} for place, word in self.also],
        }


def _excerpt(arrow: str, place: Place, word: str = "") -> list[str]:
    lines = [f"  {arrow} {place}"]
    if place.text:
        # A very long line is cut around the column, so that an excerpt stays a line.
        start = max(0, place.column - 60) if place.column > 90 else 0
        text = place.text[start : start + 160].replace("\t", " ")
        column = max(0, min(place.column - 1 - start, len(text)))
        width = max(1, min(place.width, len(text) - column or 1))
        gutter = " " * len(str(place.line))
        lines += [f"{place.line} | {text}", f"{gutter} | {' ' * column}{'^' * width} {word}".rstrip()]
    elif word:
        lines.append(f"      {word}")
    return lines


PROBLEMS_SHOWN = 20
"""Number of problems of one kind of input that are printed; the others are counted."""


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """Return the texts of different problems, and a last line with the number of those that are not among them."""
    texts = list(dict.fromkeys(str(problem) for problem in problems))
    more = len(texts) - PROBLEMS_SHOWN
    return [*texts[:PROBLEMS_SHOWN], *([f"+{more} more problem{'s' if more > 1 else ''}"] if more > 0 else [])]


NAME_LENGTH = 100
"""Length of the part of a name that is compared with others [characters]."""


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Write a help line with the nearest known name, else with the known names.

    Args:
        name: unknown name; characters in it that cannot be seen, or look like others, are named.
        known: names that exist.
    """
    choices = sorted(set(known))
    unseen = hidden(name[:NAME_LENGTH])
    seen = "".join(sign for sign in name[:NAME_LENGTH] if sign not in unseen)
    if unseen and seen in choices:
        signs = ", ".join(dict.fromkeys(f"U+{ord(sign):04X}" for sign in unseen))
        return (f"'{seen}' has characters in it that cannot be seen ({signs}): write it again",)
    close = difflib.get_close_matches(name[:NAME_LENGTH], choices, n=1, cutoff=0.6)
    if close:
        strange = dict.fromkeys(sign for sign in name if not sign.isascii() and sign not in close[0])
        signs = ", ".join(f"'{sign}' in it is U+{ord(sign):04X}, {unicodedata.name(sign, '?')}" for sign in strange)
        return (f"did you mean '{close[0]}'?" + (f" {signs}" if signs else ""),)
    if not choices:
        return ()
    shown = ", ".join(choices[:12]) + (", …" if len(choices) > 12 else "")
    return (f"known: {shown}",)


FOREIGN = (Exception, SystemExit, GeneratorExit)
"""Exceptions that foreign code may raise; all but Ctrl-C, which is the user's."""


def error_text(error: BaseException) -> str:
    """Format kind and message of an error as text, cut and without escape sequences; even if its `__str__` raises."""
    try:
        message = cut(str(error), ERROR_LENGTH)
    except Exception:
        message = "(its message cannot be read)"
    return written_out(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def raised_at(error: BaseException, skip: tuple[str, ...] = ()) -> str:
    """Return file and line where an error was raised, or where a syntax error stands; empty if all files are skipped.

    Args:
        error: an exception that was caught.
        skip: beginnings of paths that do not count: files in which foreign code is called.
    """
    if isinstance(error, SyntaxError) and error.filename and error.filename[0] != "<":
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    counted = [frame for frame in frames if not frame.filename.startswith(skip) and frame.filename[0] != "<"]
    return f"{counted[-1].filename}:{counted[-1].lineno} in {counted[-1].name}" if counted else ""


class EmbodiedError(Exception):
    """Base of everything embodied raises."""

    exit_code = 3


class LaunchError(EmbodiedError):
    """A launch file, a graph or a command line is wrong."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem_lines(self.problems)))

    def __reduce__(self) -> tuple[type[LaunchError], tuple[tuple[Problem, ...]]]:
        # It crosses from a worker to its parent with its problems, not with their text.
        return type(self), (self.problems,)


@dataclass(eq=False)
class NodeFailed(EmbodiedError):
    """A node raised, or returned a wrong value, while it ran.

    Attributes:
        node: name of the node.
        doing: `open`, `step` or `close`.
        cause: the exception.
        tag: (time [ns], microstep) of its step.
        inputs: summary of each input value.
        location: file and line that raised; empty where unknown.
    """

    node: str
    doing: str
    cause: BaseException
    tag: tuple[int, int] | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    location: str = ""

    def __str__(self) -> str:
        when = "" if self.tag is None else f" at {self.tag[0] / 1e9:.6f} s (microstep {self.tag[1]})"
        lines = [f"node '{self.node}' failed in {self.doing}(){when}: {error_text(self.cause)}"]
        lines += [f"  --> {self.location}"] if self.location else []
        return written_out("\n".join([*lines, *(f"   | {name} = {value}" for name, value in self.inputs.items())]))


class WireError(EmbodiedError):
    """Message that does not fit its type; the text names the field, what is expected and what it got."""


class ResultRejected(EmbodiedError):
    """A step has no result to publish, as a number is none: the runner counts it, and the graph goes on."""


class WorldFailed(EmbodiedError):
    """The simulator, or a body in it, failed."""


class DeviceLost(EmbodiedError):
    """A device no longer answers; earlier readings must not be published as new ones."""


@dataclass(eq=False)
class NoDevice(DeviceLost):
    """A port, device or vehicle of the launch file is not there; nothing was armed.

    Attributes:
        what: name of it, `serial port /dev/ttyUSB0`.
        help: what to do next.
        node: name of its driver, once that is known.
    """

    what: str
    help: str
    node: str = ""

    exit_code = 2

    def __str__(self) -> str:
        whose = f"'{self.node}': " if self.node else ""
        return f"{whose}there is no {self.what}\n   = help: {self.help}"


@dataclass(eq=False)
class DeviceInUse(DeviceLost):
    """A device is in use by another driver or program; nothing was sent to it.

    Attributes:
        what: name of it, `the xArm at 192.168.1.185:502`.
        holder: who has it, `process 4242`; may be empty.
        node: name of the driver that wanted it, once that is known.
    """

    what: str
    holder: str = ""
    node: str = ""

    exit_code = 2

    def __str__(self) -> str:
        whose = f"'{self.node}': " if self.node else ""
        holder = f" by {self.holder}" if self.holder else ""
        return f"{whose}{self.what} is in use{holder}\n   = help: end that first; `embodied ps` lists this user's runs"


@dataclass(eq=False)
class WrongDevice(EmbodiedError):
    """A device is not the one that the launch file wants; it was not armed.

    Attributes:
        node: name of its driver.
        device: identity of the device.
        wrong: differences, a sentence each.
    """

    node: str
    device: str
    wrong: tuple[str, ...]

    exit_code = 2

    def __str__(self) -> str:
        lines = [f"'{self.node}' met {self.device}, which is not what the launch file wants; it was not armed"]
        lines += [f"   | {sentence}" for sentence in self.wrong]
        return "\n".join([*lines, "   = help: connect the right device, or correct the launch file or its --site file"])


class NotStopped(EmbodiedError):
    """A device does not confirm that it has stopped: use its own emergency stop."""


class NotCalibrated(EmbodiedError):
    """A device cannot be calibrated, or does not keep its calibration; the text names the reason and its state now."""


class LinkFailed(EmbodiedError):
    """A link between two processes or machines cannot be made, or broke; the text names what it needs."""


@dataclass(eq=False)
class ProcessLost(EmbodiedError):
    """A process of a running graph ended by itself.

    Attributes:
        process: name of the process.
        nodes: names of the nodes in it.
        how: its own message, or the signal that ended it.
        exit_code: 2 if it reported a wrong launch file or setting.
    """

    process: str
    nodes: tuple[str, ...]
    how: str
    exit_code: int = 3

    def __str__(self) -> str:
        if self.how.startswith(("node ", *(f"'{node}'" for node in self.nodes))):
            return self.how  # the message names the node already
        return f"{' and '.join(repr(node) for node in self.nodes) or repr(self.process)}: {self.how}"


@dataclass(eq=False)
class MissingExtra(EmbodiedError):
    """An optional package is not installed.

    Attributes:
        package: name of the package that could not be imported.
        extra: extra of embodied that installs it; empty where embodied itself does.
        purpose: of the package.
    """

    package: str
    extra: str
    purpose: str

    exit_code = 2

    def __str__(self) -> str:
        source = f"'embodied-robotics[{self.extra}]'" if self.extra else self.package
        return f"{self.purpose} needs {self.package}: pip install {source}"
