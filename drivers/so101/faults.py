"""Text for the faults of SO-101 servos, by their own report and by the driver's narrower limits, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drivers.so101 import control_table
from drivers.so101.codec import Status
from drivers.so101.servo_state import ServoState
from drivers.so101.servos import NAMES

TEXTS = {
    Status.VOLTAGE: "its supply is outside its limits: check the power supply",
    Status.ENCODER: "its encoder fails: replace the servo",
    Status.TEMPERATURE: "it is too hot and has switched off: let it cool down",
    Status.CURRENT: "it draws too much current: see what blocks it",
    Status.LOAD: "it is overloaded: see what it pushes against",
}
"""Text for each fault that a servo reports."""


def fault_text(states: Sequence[ServoState], hottest: float, voltage: tuple[float, float]) -> str:
    """Return the faults of an SO-101's servos in words, and what to do about each; empty for none.

    Args:
        states: state of each servo.
        hottest: largest motor temperature [degC].
        voltage: lower and upper limit of the supply voltage [V].
    """
    named = zip(NAMES, states, strict=True)
    return "; ".join(f"{name}: {text}" for name, state in named for text in _texts(state, hottest, voltage))


def _texts(state: ServoState, hottest: float, voltage: tuple[float, float]) -> Iterator[str]:
    volts, temperature = state.voltage * control_table.VOLTAGE.scale, state.temperature
    for bit in Status:
        if state.status & bit:
            yield f"{TEXTS[bit]} (status {int(state.status)}, {temperature} °C, {volts:.1f} V)"
    if temperature > hottest and not state.status & Status.TEMPERATURE:
        yield f"its motor must be at most {hottest:g} °C, got {temperature}: let it cool down"
    if not voltage[0] <= volts <= voltage[1] and not state.status & Status.VOLTAGE:
        yield f"its supply must be in [{voltage[0]:g}, {voltage[1]:g}] V, got {volts:.1f}: check the power supply"
