"""Dispatch of a frame on the virtual bus to the servos that it addresses, and their answers in order."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.so101 import codec, control_table
from drivers.so101.codec import BROADCAST, Frame, Instruction, Malformed
from drivers.so101.virtual.servo import Servo


def dispatch(frame: Frame, listening: Sequence[Servo]) -> list[Frame]:
    """Let the servos that a frame addresses carry it out, and return their answers in order.

    Args:
        frame: frame of a request.
        listening: servos that receive at the speed of the bus.
    """
    if frame.code in (Instruction.SYNC_READ, Instruction.SYNC_WRITE):
        return _answer_all(frame, listening)
    return _answer_one(frame, listening)


def _answer_one(frame: Frame, listening: Sequence[Servo]) -> list[Frame]:
    """Let the servos that a frame addresses carry it out, and return their answers in the order of their ids."""
    addressed = [s for s in listening if frame.id in (BROADCAST, s.get(control_table.ID))]
    answers = [answer for servo in addressed if (answer := servo.answer(frame))]
    # Two of one id answer at the same time, and are understood only where they say the same.
    same = {answer.id: answer for answer in answers}
    return sorted(same.values(), key=lambda answer: answer.id) if all(same[a.id] == a for a in answers) else []


def _answer_all(frame: Frame, listening: Sequence[Servo]) -> list[Frame]:
    """Carry out a request to several servos at once; one that is too short or too long is ignored."""
    if frame.code == Instruction.SYNC_READ:
        address, width, *ids = frame.parameters if len(frame.parameters) > 2 else (0, 0)
        return [answer for number in ids for answer in _answer_one(codec.read(number, address, width), listening)]
    try:
        address, values = codec.sync_written(frame)
    except Malformed:
        return []
    for servo in listening:
        data = values.get(servo.get(control_table.ID))
        if data is not None:
            servo.write(address, data)
    return []
