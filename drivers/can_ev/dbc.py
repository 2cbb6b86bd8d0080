"""Reader of DBC files, which refuses one that lacks what a vehicle requires."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.can_ev.units import UNITS
from drivers.can_ev.vehicle import Layout
from embodied.errors import MissingExtra, nearest

if TYPE_CHECKING:
    from cantools.database.can.message import Message


class Unfit(ValueError):
    """DBC file that cannot be parsed or is not that of the vehicle, with the place and what was expected there."""


def read(path: Path, layouts: tuple[Layout, ...]) -> dict[str, Message]:
    """Read the messages of a vehicle from a DBC file, by name.

    Args:
        path: path of the file.
        layouts: layouts of the messages; those that are not required may be missing.

    Raises:
        MissingExtra: cantools is not installed.
        Unfit: the file cannot be read or parsed, or a message, a signal or its unit does not fit.
    """
    try:
        from cantools.database.can import Database
    except ImportError as error:
        raise MissingExtra("cantools", "can", "a vehicle on a CAN bus") from error
    try:
        text = path.read_text("cp1252")
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}") from error
    try:
        # Not strict: public DBCs have signals that overlap; those that are used here are checked below.
        database = Database(strict=False)
        database.add_dbc_string(text)
    except Exception as error:  # its parser raises whatever the text makes it stumble over
        raise Unfit(f"{path} is no DBC that can be parsed: {error}") from error
    messages = {message.name: message for message in database.messages}
    problems = [problem for layout in layouts for problem in _problems(layout, messages)]
    if problems:
        raise Unfit(f"{path} does not fit: {'; '.join(problems)}")
    return {layout.name: messages[layout.name] for layout in layouts if layout.name in messages}


def _problems(layout: Layout, messages: dict[str, Message]) -> Iterator[str]:
    message = messages.get(layout.name)
    if message is None:
        if layout.required:
            yield " ".join((f"it has no message '{layout.name}';", *nearest(layout.name, messages)))
        return
    if message.is_extended_frame or message.is_fd or message.length > 8:
        yield f"{layout.name} is no classic message with an 11-bit identifier"
    signals = {signal.name: signal for signal in message.signals}
    for name in (layout.counter, layout.checksum, *layout.quantities):
        if name not in signals:
            yield " ".join((f"{layout.name} has no signal '{name}';", *nearest(name, signals)))
    checksum = signals.get(layout.checksum)
    if checksum is not None and (checksum.length != 8 or checksum.start % 8 not in (0, 7)):
        yield f"{layout.name}.{layout.checksum} is not one whole byte"
    for name, quantity in layout.quantities.items():
        if name in signals and (signals[name].unit or "") not in UNITS[quantity]:
            units = ", ".join(repr(unit) for unit in UNITS[quantity])
            yield f"unit of {layout.name}.{name}, {quantity}, must be one of {units}, got '{signals[name].unit or ''}'"
