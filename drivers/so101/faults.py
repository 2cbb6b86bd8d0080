"""What is wrong with servos, by their own words and by narrower limits; and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from drivers.so101 import control_table
from drivers.so101.codec import Status
from drivers.so101.servos import NAMES

if TYPE_CHECKING:
    from drivers.so101.bus import Reading

SAID = {
    Status.VOLTAGE: "its supply is outside its limits: see to the power supply",
    Status.ENCODER: "its encoder fails: replace the servo",
    Status.TEMPERATURE: "it is too hot and has let go: let it cool down",
    Status.CURRENT: "it draws too much current: see what blocks it",
    Status.LOAD: "it is overloaded: see what it pushes against",
}


def wrong(readings: Sequence[Reading], hottest: float, voltage: tuple[float, float]) -> str:
    """What is wrong with an arm, by what its servos answered; empty if nothing is.

    Args:
        readings: of the block `PRESENT`, of each servo.
        hottest: what a motor may be [degC].
        voltage: of the supply, least and most [V].
    """
    said = [f"{name}: {each}" for name, one in zip(NAMES, readings, strict=True) for each in _of(one, hottest, voltage)]
    return "; ".join(said) + "; then arm it again" if said else ""


def _of(reading: Reading, hottest: float, voltage: tuple[float, float]) -> Iterator[str]:
    volts, warmth = reading.counts[3] * control_table.VOLTAGE.scale, reading.counts[4]
    for bit in Status:
        if reading.status & bit:
            yield f"{SAID[bit]} (status {int(reading.status)}, {warmth} °C, {volts:.1f} V)"
    if warmth > hottest and not reading.status & Status.TEMPERATURE:
        yield f"its motor has {warmth} °C, and {hottest:g} are allowed: let it cool down"
    if not voltage[0] <= volts <= voltage[1] and not reading.status & Status.VOLTAGE:
        yield f"its supply has {volts:.1f} V, and {voltage[0]:g} to {voltage[1]:g} are allowed: see to the power supply"
