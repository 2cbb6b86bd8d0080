"""Reader of DBC files: proves at once that every message carries all that the codec will put in and take out.

Law: what a driver will need from a file is proven before anything runs. Signals that are not used may be as they are in
reports; a message that is sent has to be whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.can_ev.dbc_extract import extract
from drivers.can_ev.signals import (
    checksum_problems,
    counter_problems,
    encoding_problems,
    number_problems,
    quantity_problems,
)
from drivers.can_ev.vehicle import IDENTITY_IDENTIFIER, Layout, Vehicle
from embodied.errors import MissingExtra, nearest
from embodied.untrusted.files import read_text

if TYPE_CHECKING:
    from cantools.database.can.message import Message

LENGTH_MOST = 8
"""Length of a classic CAN frame [B]."""

SIZE_MOST = 16_000_000
"""Size of the largest DBC that is read [B]."""


class Unfit(ValueError):
    """DBC file that cannot be parsed or is not that of the vehicle, with the place and what was expected there."""


def read(path: Path, vehicle: Vehicle) -> dict[str, Message]:
    """Read the messages of a vehicle from a DBC file, by name; a report comes with those signals alone that are used.

    Args:
        path: path of the file.
        vehicle: vehicle whose messages they are; those that are not required may be missing.

    Raises:
        MissingExtra: cantools is not installed.
        Unfit: the file cannot be read or parsed, or a message, a signal or its unit does not fit.
    """
    try:
        from cantools.database.can import Database
    except ImportError as error:
        raise MissingExtra("cantools", "can", "a vehicle on a CAN bus") from error
    try:
        # Editors of DBCs write cp1252 or UTF-8, and the file does not say which; names and numbers are ASCII in both.
        text = read_text(path, SIZE_MOST, fallback="cp1252")
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}") from error
    used = {name for layout in vehicle.layouts for name in layout.signals}
    try:
        found = extract(text, {layout.name for layout in vehicle.layouts}, used)
        # Not strict: public DBCs have signals that overlap; those that are used here are checked below.
        database = Database(strict=False)
        if found.text.strip():
            database.add_dbc_string(found.text)
    except RecursionError:
        raise Unfit(f"{path} is no DBC that can be parsed: it is nested too deeply") from None
    except Exception as error:  # its parser raises whatever the text makes it stumble over
        raise Unfit(f"{path} is no DBC that can be parsed: {_shortened(error)}") from error
    messages = {message.name: message for message in database.messages}
    problems = [
        f"it has two messages '{name}'"
        for name, times in Counter(message.name for message in database.messages).items()
        if times > 1 and name in {layout.name for layout in vehicle.layouts}
    ]
    for layout in vehicle.layouts:
        problems += _problems(layout, messages, found.names)
    problems = problems or list(_identifier_problems(vehicle, messages))
    if problems:
        raise Unfit(f"{path} does not fit: {'; '.join(problems)}")
    try:
        return {
            layout.name: _whole(messages[layout.name], None if layout in vehicle.commands else layout)
            for layout in vehicle.layouts
            if layout.name in messages
        }
    except Exception as error:  # cantools names the signals that overlap, or do not fit in the message
        raise Unfit(f"{path} does not fit: {_shortened(error)}") from error


def _problems(layout: Layout, messages: dict[str, Message], names: tuple[str, ...]) -> Iterator[str]:
    message = messages.get(layout.name)
    if message is None:
        if layout.required:
            yield " ".join((f"it has no message '{layout.name}';", *nearest(layout.name, names)))
        return
    if message.is_extended_frame or message.is_fd or not 1 <= message.length <= LENGTH_MOST:
        yield f"{layout.name} is no classic message with an 11-bit identifier and 1 to {LENGTH_MOST} bytes"
    signals = {signal.name: signal for signal in message.signals}
    for name, times in Counter(signal.name for signal in message.signals).items():
        if times > 1 and name in layout.signals:
            yield f"{layout.name} has two signals '{name}'"
    for name in layout.signals:
        where = f"{layout.name}.{name}"
        if (signal := signals.get(name)) is None:
            yield " ".join((f"{layout.name} has no signal '{name}';", *nearest(name, signals)))
        elif signal.multiplexer_ids is not None:
            yield f"{where} is multiplexed: it has to be in every frame"
        elif broken := list(encoding_problems(where, signal)):
            yield from broken
        elif name == layout.counter:
            yield from counter_problems(where, signal)
        elif name == layout.checksum:
            yield from checksum_problems(where, signal)
        elif name in layout.quantities:
            yield from quantity_problems(where, signal, layout.quantities[name])
        else:
            yield from number_problems(where, signal, layout.numbers[name])


def _identifier_problems(vehicle: Vehicle, messages: dict[str, Message]) -> Iterator[str]:
    """Check that a frame's identifier tells of which message it is."""
    names: dict[int, str] = {}
    for layout in vehicle.layouts:
        if (message := messages.get(layout.name)) is None:
            continue
        if (other := names.setdefault(message.frame_id, layout.name)) != layout.name:
            yield f"{other} and {layout.name} have one identifier, {message.frame_id:#x}"
        if vehicle.commands and message.frame_id == IDENTITY_IDENTIFIER:
            yield f"{layout.name} has the identifier of the identity report, {IDENTITY_IDENTIFIER:#x}"


def _whole(message: Message, used: Layout | None) -> Message:
    """Return a message with all signals, or those that a layout uses, none of which overlap or stick out of it.

    Raises:
        Error: they do, in the words of cantools.
    """
    from cantools.database.can import Message

    signals = [signal for signal in message.signals if used is None or signal.name in used.signals]
    if used is None and any(signal.is_multiplexer for signal in signals):
        raise ValueError(f"{message.name} is sent, and must not be multiplexed")
    for signal in signals:
        if used is None:
            for problem in encoding_problems(f"{message.name}.{signal.name}", signal):
                raise ValueError(problem)
        # The only pages of a multiplexed message that are decoded are those that every frame has.
        signal.is_multiplexer = False
    return Message(message.frame_id, message.name, message.length, signals, strict=True)


def _shortened(error: Exception, most: int = 300) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= most else f"{text[:most]}…"
