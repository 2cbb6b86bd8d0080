"""Messages of either vehicle survive encoding and decoding; no damaged, repeated or reordered frame is accepted."""

from __future__ import annotations

import math
from typing import Any

import cantools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.can_ev import identity
from drivers.can_ev.checksum import byte_sum, crc8
from drivers.can_ev.codec import Codec, Malformed, OutOfRange
from drivers.can_ev.e2e_protection import ERROR_BUDGET, LOST_MOST, E2EReceiver
from drivers.can_ev.frame import Frame
from drivers.can_ev.generic import GENERIC
from drivers.can_ev.tesla import TESLA
from drivers.can_ev.units import UNITS
from drivers.can_ev.vehicle import GEARS, DriveCommand, DriveReport, Layout, Vehicle
from embodied.clock import SECOND, Time

VEHICLES = (GENERIC, TESLA, identity.IDENTITY)
CODECS = {vehicle.name: Codec(vehicle) for vehicle in VEHICLES}
DATABASES: dict[str, Any] = {vehicle.name: cantools.database.load_file(vehicle.dbc) for vehicle in VEHICLES}
MESSAGES = [(vehicle, layout) for vehicle in VEHICLES for layout in vehicle.layouts]


@st.composite
def sent(draw: st.DrawFn) -> tuple[Vehicle, Layout, dict[str, float], int, Frame]:
    """Draw any message of any vehicle, with any values that it can hold, and any counter."""
    vehicle, layout = draw(st.sampled_from(MESSAGES))
    signals = {}
    for signal in DATABASES[vehicle.name].get_message_by_name(layout.name).signals:
        if signal.name in (layout.counter, layout.checksum):
            continue
        value = draw(st.floats(signal.minimum, signal.maximum) if signal.name in layout.quantities else _counts(signal))
        unit = UNITS[layout.quantities[signal.name]][signal.unit or ""] if signal.name in layout.quantities else 1.0
        signals[signal.name] = value * unit
    counter = draw(st.integers(0, 1000))
    return vehicle, layout, signals, counter, CODECS[vehicle.name].encode(layout.name, signals, counter)


def _counts(signal: Any) -> st.SearchStrategy[int]:
    return st.integers(int(signal.minimum), int(signal.maximum))


@given(sent())
def test_every_message_comes_back_as_it_was_to_half_a_step(
    one: tuple[Vehicle, Layout, dict[str, float], int, Frame],
) -> None:
    vehicle, layout, signals, counter, frame = one
    decoded = CODECS[vehicle.name].decode(frame)
    message = DATABASES[vehicle.name].get_message_by_name(layout.name)
    assert (decoded.name, decoded.counter) == (layout.name, counter % CODECS[vehicle.name].modulus(layout.name))
    assert decoded.signals.keys() == signals.keys()
    for name, value in signals.items():
        signal = message.get_signal_by_name(name)
        unit = UNITS[layout.quantities[name]][signal.unit or ""] if name in layout.quantities else 1.0
        assert abs(decoded.signals[name] - value) <= abs(signal.scale) * unit * 0.501


@given(sent(), st.data())
def test_a_frame_with_one_flipped_bit_is_refused(
    one: tuple[Vehicle, Layout, dict[str, float], int, Frame], data: st.DataObject
) -> None:
    vehicle, _, _, _, frame = one
    bit = data.draw(st.integers(0, 8 * len(frame.data) - 1))
    damaged = bytearray(frame.data)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Malformed, match="checksum"):
        CODECS[vehicle.name].decode(Frame(frame.identifier, bytes(damaged)))


@given(sent(), st.integers(0, 9))
def test_a_frame_of_another_length_or_identifier_is_refused(
    one: tuple[Vehicle, Layout, dict[str, float], int, Frame], length: int
) -> None:
    vehicle, _, _, _, frame = one
    codec = CODECS[vehicle.name]
    if length != len(frame.data):
        with pytest.raises(Malformed, match="bytes"):
            codec.decode(Frame(frame.identifier, frame.data.ljust(9, b"\0")[:length]))
    with pytest.raises(Malformed):
        codec.decode(Frame(frame.identifier ^ 0x001, frame.data))


@given(sent(), st.data())
def test_values_that_are_not_finite_or_beyond_a_signal_are_never_sent(
    one: tuple[Vehicle, Layout, dict[str, float], int, Frame], data: st.DataObject
) -> None:
    vehicle, layout, signals, counter, _ = one
    name = data.draw(st.sampled_from(sorted(signals)))
    value = data.draw(st.sampled_from([math.nan, math.inf, -math.inf, 1e18, -1e18]))
    with pytest.raises(OutOfRange, match=name):
        CODECS[vehicle.name].encode(layout.name, {**signals, name: value}, counter)


def test_a_value_that_a_message_can_hold_and_the_dbc_forbids_is_refused_from_the_bus_too() -> None:
    frame = CODECS["generic"].encode("StatusReport", {}, 0)
    data = bytearray(frame.data)
    data[1] |= 3 << 4  # a fourth mode
    data[0] = crc8(frame.identifier, bytes(data), 0)
    with pytest.raises(Malformed, match=r"StatusReport.Mode must be in .*, got 3"):
        CODECS["generic"].decode(Frame(frame.identifier, bytes(data)))


def test_the_checksums_have_their_published_values() -> None:
    # CRC-8 SAE J1850: its check value over "123456789" is 0x4B; of a frame the identifier comes first.
    assert crc8(0x3132, b"3456789?", 7) == crc8(0x3132, b"?3456789", 0)
    assert crc8(0x3132, b"3456789\0", 7) == 0x4B
    assert byte_sum(0x488, bytes([0x40, 0x00, 0x43, 0x77]), 3) == (0x04 + 0x88 + 0x40 + 0x43) & 0xFF


@given(
    steering=st.floats(-0.5, 0.5),
    speed=st.floats(0, 10),
    acceleration=st.floats(0.5, 3),
    enable=st.booleans(),
    vehicle=st.sampled_from([GENERIC, TESLA]),
)
def test_a_command_is_decoded_as_it_was_encoded(
    steering: float, speed: float, acceleration: float, enable: bool, vehicle: Vehicle
) -> None:
    command = DriveCommand(enable=enable, clear=not enable, steering=steering, speed=speed, acceleration=acceleration)
    codec = CODECS[vehicle.name]
    frames = [codec.encode(name, signals, 0) for name, signals in vehicle.encode_command(command).items()]
    back = vehicle.decode_command({decoded.name: decoded.signals for decoded in map(codec.decode, frames)})
    assert (back.enable, back.clear, back.gear) == (command.enable, command.clear, command.gear)
    assert abs(back.steering - steering) < 2e-4
    if enable or vehicle is GENERIC:
        assert abs(back.speed - speed) < 0.015
        assert abs(back.acceleration - acceleration) < 0.021
    else:
        assert back.speed == 0.0
        assert abs(back.acceleration) < 1e-9


@given(
    speed=st.floats(0, 10),
    steering=st.floats(-0.5, 0.5),
    gear=st.sampled_from(GEARS),
    mode=st.sampled_from(["engaged", "stopping", "overridden", "none"]),
    fault=st.sampled_from(["steering fault", "drive fault", ""]),
    vehicle=st.sampled_from([GENERIC, TESLA]),
)
def test_a_report_is_decoded_as_it_was_encoded(
    speed: float, steering: float, gear: str, mode: str, fault: str, vehicle: Vehicle
) -> None:
    flags: dict[str, Any] = {} if mode == "none" or fault else {mode: True}
    report = DriveReport(speed=speed, steering=steering, gear=gear, faults=(fault,) if fault else (), **flags)
    codec = CODECS[vehicle.name]
    frames = [codec.encode(name, signals, 0) for name, signals in vehicle.encode_report(report).items()]
    back = vehicle.decode_report({decoded.name: decoded.signals for decoded in map(codec.decode, frames)})
    assert (back.gear, back.faults) == (gear, report.faults)
    assert (back.engaged, back.stopping, back.overridden) == (
        report.engaged,
        report.stopping,
        report.overridden,
    )
    assert abs(back.speed - speed) < 0.012
    assert abs(back.steering - steering) < 1e-3


def test_gears_and_modes_have_the_names_of_the_dbc() -> None:
    status = DATABASES["generic"].get_message_by_name("StatusReport")
    choices = {int(number): str(name) for number, name in status.get_signal_by_name("Gear").choices.items()}
    assert choices == dict(enumerate(GEARS))
    names = [str(name) for _, name in sorted(status.get_signal_by_name("Mode").choices.items())]
    assert names == ["Manual", "Autonomous", "Stopping"]


def test_every_signal_of_our_own_dbc_is_in_si_units() -> None:
    for message in DATABASES["generic"].messages:
        for signal in message.signals:
            assert signal.unit in (None, "", "m/s", "rad", "rad/s", "m/s^2", "Nm", "V", "A"), signal.name


NOW = Time(0)


def receiver() -> E2EReceiver:
    return E2EReceiver(CODECS["generic"], [GENERIC.reports[1]])


def motion(counter: int) -> Frame:
    return CODECS["generic"].encode("MotionReport", {"Speed": 1.0}, counter)


@given(st.integers(0, 100), st.lists(st.integers(1, LOST_MOST + 1), max_size=40))
def test_counters_that_go_on_are_accepted_even_if_a_few_frames_are_lost(first: int, steps: list[int]) -> None:
    received, counter = receiver(), first
    assert received.receive(motion(counter), NOW)
    for step in steps:
        counter += step
        assert received.receive(motion(counter), NOW) == "MotionReport"
    assert received.rejected == 0


@given(st.integers(0, 100), st.integers(-8, 0))
def test_a_repeated_or_stale_counter_is_not_accepted(first: int, back: int) -> None:
    received = receiver()
    for counter in range(first, first + 10):
        assert received.receive(motion(counter), NOW)
    assert not received.receive(motion(first + 9 + back), NOW)
    assert received.rejected == 1
    assert received.receive(motion(first + 10), NOW), "the true one goes on"


def test_a_counter_that_stands_still_is_accepted_once() -> None:
    received = receiver()
    assert received.receive(motion(5), NOW)
    assert not any(received.receive(motion(5), NOW) for _ in range(50))
    assert "wrong checksums or counters" in received.distrust(NOW)


def test_a_sender_that_restarted_is_accepted_from_its_second_frame_on() -> None:
    received = receiver()
    for counter in range(8):
        assert received.receive(motion(counter), NOW)
    assert [bool(received.receive(motion(counter), NOW)) for counter in (0, 1, 2)] == [False, True, True]


def test_a_counter_that_leaves_out_numbers_in_each_round_is_told_with_the_remedy() -> None:
    received = receiver()
    for round_ in range(4):
        assert not received.complaint(NOW), round_
        for counter in range(1, 11):
            received.receive(motion(counter), NOW)
    received.receive(motion(1), NOW)
    received.receive(motion(2), NOW)
    assert received.rejected == 4, "one frame a round, since the DBC says 0 to 15"
    assert "MotionReport: its counter goes from 10 to 1 in each round: state its range [1|10]" in received.complaint(
        NOW
    )
    assert not received.distrust(NOW)


def test_wrong_frames_are_forgiven_as_long_as_right_ones_make_up_for_them() -> None:
    received = receiver()
    for counter in range(60):
        frame = motion(counter)
        received.receive(Frame(frame.identifier, frame.data[:7] + b"\x99") if counter % 2 else frame, NOW)
    assert received.rejected == 30
    assert not received.distrust(NOW)
    for _ in range(ERROR_BUDGET + 1):
        received.receive(Frame(frame.identifier, bytes(8)), NOW)
    assert "wrong" in received.distrust(NOW)


def test_silence_is_reported_after_100_ms_and_not_to_a_receiver_that_was_late() -> None:
    received = receiver()
    assert received.distrust(NOW), "nothing has come yet"
    received.receive(motion(0), NOW)
    late = Time(round(0.1 * SECOND))
    assert not received.distrust(late), "it was the receiver that was late"
    for _ in range(3):
        received.begin_cycle()
    assert not received.distrust(Time(late - 1))
    assert "nothing for 100 ms" in received.distrust(late)
