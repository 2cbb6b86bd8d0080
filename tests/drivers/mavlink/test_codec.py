"""MAVLink messages, axes, plans and geofences survive encoding and decoding; damaged frames become no message."""

from __future__ import annotations

import math
import socket
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec, coordinates, mission, transport
from drivers.mavlink.codec import decode_value, encode_value
from drivers.mavlink.coordinates import Origin
from drivers.mavlink.framing import FrameParser, Malformed, SequenceFilter, decode
from drivers.mavlink.geofence import Geofence
from drivers.mavlink.mission import Waypoint
from drivers.mavlink.modes import Mode, mode_name
from drivers.mavlink.virtual.legs import leg
from drivers.mavlink.virtual.zones import zones_from_items
from embodied.clock import Time
from embodied.geometry import rotation
from embodied.messages import DroneCommand, DroneState, Vector

ORIGIN = Origin(47.397742, 8.545594, 488.0)
METRES = st.floats(-900, 900)
VECTORS = st.lists(METRES, min_size=3, max_size=3).map(np.array)
ANGLES = st.floats(-math.pi, math.pi)
QUATERNIONS = (
    st.lists(st.floats(-1, 1), min_size=4, max_size=4)
    .map(np.array)
    .filter(lambda q: np.linalg.norm(q) > 0.1)
    .map(lambda q: q / np.linalg.norm(q))
)
PACKER = common.MAVLink(None, 1, 1)


def sent(message: Any) -> Any:
    return decode(bytes(message.pack(PACKER)))


@given(VECTORS)
def test_axes_convert_there_and_back(vector: Vector) -> None:
    assert np.array_equal(coordinates.world_axes(coordinates.world_axes(vector)), vector)
    assert np.array_equal(coordinates.body_axes(coordinates.body_axes(vector)), vector)


def test_axes_have_the_order_and_signs_of_their_names() -> None:
    assert coordinates.world_axes(np.array([1.0, 2.0, 3.0])).tolist() == [2.0, 1.0, -3.0]
    assert coordinates.body_axes(np.array([1.0, 2.0, 3.0])).tolist() == [1.0, -2.0, -3.0]


@given(QUATERNIONS, VECTORS)
def test_an_attitude_turns_vectors_alike_in_both_pairs_of_axes(quaternion: Vector, vector: Vector) -> None:
    there = coordinates.attitude(quaternion)
    assert np.allclose(coordinates.attitude(there), quaternion)
    ours = rotation(quaternion) @ vector
    theirs = rotation(there) @ coordinates.body_axes(vector)
    assert np.allclose(coordinates.world_axes(theirs), ours, atol=1e-6)


@given(ANGLES)
def test_a_heading_converts_there_and_back(yaw: float) -> None:
    assert abs(math.remainder(coordinates.heading(coordinates.heading(yaw)) - yaw, math.tau)) < 1e-9


def test_east_is_ninety_degrees_and_north_none() -> None:
    assert coordinates.heading(0.0) == pytest.approx(math.pi / 2)
    assert coordinates.heading(math.pi / 2) == pytest.approx(0.0)


@given(METRES, METRES)
def test_a_place_converts_to_latitude_and_longitude_and_back(east: float, north: float) -> None:
    assert ORIGIN.local(*ORIGIN.geodetic(east, north)) == pytest.approx((east, north), abs=1e-6)


@given(st.none() | VECTORS, st.none() | VECTORS, st.none() | ANGLES)
def test_a_command_survives_transmission(position: Vector | None, velocity: Vector | None, yaw: float | None) -> None:
    command = DroneCommand(position=position, velocity=velocity, yaw=yaw, frame="world")
    back = codec.decode_setpoint(sent(codec.encode_setpoint(command, 1000, 1)), "world")
    single = codec.rounded(command)
    for ours, one, theirs in zip(parts(command), parts(single), parts(back), strict=True):
        assert (ours is None) == (theirs is None) == (one is None)
        if ours is not None:
            assert np.allclose(theirs, one, rtol=0, atol=1e-9)
            assert np.allclose(np.cos(np.asarray(theirs) - ours), 1.0)


def parts(command: DroneCommand) -> tuple[Any, Any, Any]:
    return command.position, command.velocity, command.yaw


@given(VECTORS, QUATERNIONS, VECTORS, VECTORS)
def test_a_state_survives_transmission(place: Vector, turned: Vector, speed: Vector, rates: Vector) -> None:
    state = DroneState(
        position=place,
        orientation=turned,
        linear_velocity=speed,
        angular_velocity=rates,
        armed=True,
        landed=False,
        mode="hold",
        frame="world",
        acquired=Time(5),
    )
    beat = common.MAVLink_heartbeat_message(2, 12, common.MAV_MODE_FLAG_SAFETY_ARMED, Mode.HOLD.custom, 4, 3)
    back = codec.decode_state(
        sent(codec.encode_position(state, 7)),
        sent(codec.encode_attitude(state, 7)),
        sent(beat),
        False,
        "world",
        Time(5),
    )
    for name in ("position", "orientation", "linear_velocity", "angular_velocity"):
        assert np.allclose(getattr(back, name), getattr(state, name), rtol=1e-6, atol=1e-6)
    assert (back.armed, back.landed, back.mode, back.acquired) == (True, False, "hold", 5)


@given(st.floats(0, 1), st.floats(1, 60), st.floats(0, 300))
def test_a_battery_survives_transmission(charge: float, voltage: float, current: float) -> None:
    battery = codec.decode_battery(sent(codec.encode_battery(charge, voltage, current)), Time(1))
    assert battery is not None
    assert battery.charge == pytest.approx(charge, abs=0.011)
    assert battery.voltage == pytest.approx(voltage, abs=1e-3)
    assert battery.current == pytest.approx(-current, abs=0.01), "negative while it discharges"


def test_values_that_a_battery_does_not_report_are_missing() -> None:
    unmeasured = codec.decode_battery(sent(codec.encode_battery(0.5, 16.0, None)), Time(1))
    assert unmeasured is not None
    assert unmeasured.current is None
    silent = codec.encode_battery(0.5, 16.0, None)
    silent.battery_remaining = -1
    assert codec.decode_battery(sent(silent), Time(1)) is None


@given(st.integers(-(2**22), 2**31 - 2**24) | st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_parameter_survives_transmission_with_its_type(value: int | float) -> None:
    message = sent(common.MAVLink_param_value_message(b"MIS_TAKEOFF_ALT", *encode_value(value), 1, 0))
    assert (back := decode_value(message.param_value, message.param_type)) == value or math.isnan(
        encode_value(value)[0]
    )
    assert type(back) is type(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**31])
def test_an_invalid_value_of_a_parameter_is_not_encoded(value: float) -> None:
    with pytest.raises(ValueError, match=r"finite|32 bits"):
        encode_value(value)


@pytest.mark.parametrize("mode", list(Mode))
def test_modes_convert_there_and_back(mode: Mode) -> None:
    assert Mode.from_custom(mode.custom) is mode


def test_an_unknown_mode_is_named_by_its_numbers() -> None:
    assert Mode.from_custom(7 << 16) is None
    assert mode_name(7 << 16) == "mode 7/0"


@given(st.data())
def test_a_frame_with_a_flipped_bit_is_no_message(data: st.DataObject) -> None:
    command = DroneCommand(position=np.array([1.0, -2.0, 3.0]), velocity=np.array([0.1, 0.2, -0.3]), frame="world")
    frame = bytes(codec.encode_setpoint(command, 12345, 1).pack(PACKER))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    damaged = bytearray(frame)
    damaged[bit // 8] ^= 1 << bit % 8
    parser = FrameParser()
    assert parser.feed(bytes(damaged), datagram=True) == []
    # The checksum of a message with another number cannot be known: it is ignored, and not counted.
    assert parser.rejected == 1 or bit // 8 in (7, 8, 9)
    assert len(parser.feed(frame, datagram=True)) == 1, "and the next one is decoded"


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(1, 40))
def test_frames_are_cut_out_of_whatever_stands_between_them(noise: list[bytes], size: int) -> None:
    clean = [part.replace(b"\xfd", b"").replace(b"\xfe", b"") for part in noise]
    ping = bytes(common.MAVLink_ping_message(1, 2, 1, 1).pack(PACKER))
    stream = b"".join(part + ping for part in clean)
    parser = FrameParser()
    messages = [message for at in range(0, len(stream), size) for message in parser.feed(stream[at : at + size])]
    assert [message.get_type() for message in messages] == ["PING"] * len(clean)
    assert parser.rejected == sum(map(bool, clean))


def test_a_frame_that_is_cut_short_is_no_message() -> None:
    frame = bytes(common.MAVLink_ping_message(1, 2, 1, 1).pack(PACKER))
    for end in range(1, len(frame)):
        with pytest.raises(Malformed):
            decode(frame[:end])
        parser = FrameParser()
        assert parser.feed(frame[:end], datagram=True) == []
        assert parser.rejected == 1


@given(st.integers(0, 255), st.integers(1, 127))
def test_repeated_and_overtaken_frames_are_dropped_whatever_was_lost(begin: int, gap: int) -> None:
    order = SequenceFilter()
    assert order.accept(begin)
    assert not order.accept(begin)
    assert order.accept((begin + gap) % 256)
    assert not order.accept(begin)


@given(st.lists(VECTORS, min_size=1, max_size=5), st.floats(0, 60), st.none() | ANGLES)
def test_a_mission_survives_transmission(places: list[Vector], hold: float, yaw: float | None) -> None:
    items = mission.mission_items([Waypoint(position=place, hold=hold, yaw=yaw) for place in places], ORIGIN)
    for place, item in zip(places, items, strict=True):
        message = common.MAVLink_mission_item_int_message(
            1, 1, 0, item.frame, item.command, 0, 1, *item.parameters, item.x, item.y, item.z, 0
        )
        back = mission.Item.from_message(sent(message))
        assert item.matches(back)
        assert mission.local_position(back, ORIGIN) == pytest.approx(place[:2], abs=0.01)
        flown = leg(1, back, ORIGIN)
        assert flown.position == pytest.approx(place, abs=0.01)
        assert flown.yaw is None or math.remainder(flown.yaw - (yaw or 0.0), math.tau) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("axis", range(3))
def test_a_mission_that_is_not_finite_is_refused_with_its_step(bad: float, axis: int) -> None:
    place = np.ones(3)
    place[axis] = bad
    with pytest.raises(ValueError, match="step 2 of the mission"):
        mission.mission_items([Waypoint(position=np.ones(3)), Waypoint(position=place)], ORIGIN)


@pytest.mark.parametrize(
    "fence",
    [
        Geofence(altitude=math.nan, radius=1.0),
        Geofence(altitude=10.0, radius=math.inf),
        Geofence(altitude=10.0),
        Geofence(altitude=10.0, radius=1.0, polygon=((0, 0), (1, 0), (0, 1))),
        Geofence(altitude=10.0, polygon=((0, 0), (1, 0))),
        Geofence(altitude=10.0, polygon=((0, 0), (1, 0), (math.nan, 1))),
        Geofence(altitude=10.0, polygon=((0, 0), (1, 1), (1, 0), (0, 1))),
    ],
)
def test_an_invalid_geofence_has_problems(fence: Geofence) -> None:
    assert list(fence.problems())


@given(METRES, METRES, st.floats(-50, 50))
def test_a_square_fence_holds_what_is_between_its_sides_and_under_its_ceiling(
    east: float, north: float, up: float
) -> None:
    fence = Geofence(altitude=20.0, polygon=((-100.0, -50.0), (100.0, -50.0), (100.0, 50.0), (-100.0, 50.0)))
    assert not list(fence.problems())
    inside = abs(east) < 100 and abs(north) < 50 and up <= 20
    if min(abs(abs(east) - 100), abs(abs(north) - 50)) > 1e-9:
        assert fence.contains(east, north, up) == inside


@pytest.mark.parametrize("place", [(math.nan, 0, 0), (0, math.nan, 0), (0, 0, math.nan), (math.inf, 0, 0)])
def test_a_place_that_is_not_finite_is_in_no_fence(place: tuple[float, float, float]) -> None:
    assert not Geofence(altitude=10.0, radius=5.0).contains(*place)
    assert not Geofence(altitude=10.0, polygon=((-9, -9), (9, -9), (0, 9))).contains(*place)


@pytest.mark.parametrize("fence", [Geofence(9.0, 7.0), Geofence(9.0, polygon=((-5.0, -5.0), (5.0, -5.0), (0.0, 6.0)))])
def test_a_fence_survives_transmission(fence: Geofence) -> None:
    back = zones_from_items(mission.fence_items(fence, ORIGIN), ORIGIN)
    assert back is not None
    (zone,) = back.zones
    assert zone.inside
    assert zone.radius == fence.radius
    assert np.allclose(zone.polygon, fence.polygon, atol=0.02)


@pytest.mark.parametrize(("charge", "known"), [(-1, False), (0, True), (100, True), (101, False), (127, False)])
def test_a_charge_beyond_its_range_is_none(charge: int, known: bool) -> None:
    message = sent(common.MAVLink_battery_status_message(0, 1, 1, 2500, [4000] * 10, 100, -1, -1, charge))
    assert (codec.decode_battery(message, Time(0)) is not None) == known


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_parameter_of_a_vehicle_that_is_no_number_is_refused(value: float) -> None:
    message = sent(common.MAVLink_param_value_message(b"MPC_XY_VEL_MAX", value, 9, 1, 0))
    with pytest.raises(ValueError, match="must be finite"):
        decode_value(message.param_value, message.param_type)


def test_a_datagram_in_which_each_byte_may_begin_a_frame_costs_little_and_the_next_is_read() -> None:
    parser, began = FrameParser(), time.process_time()
    assert parser.feed(b"\xfe\0" * 30_000, datagram=True) == []
    assert time.process_time() - began < 0.2
    assert parser.rejected == 1
    (message,) = parser.feed(bytes(common.MAVLink_timesync_message(0, 5).pack(PACKER)), datagram=True)
    assert message.ts1 == 5


def test_whoever_sends_without_an_end_does_not_keep_a_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PIECES_MOST", 10)
    receiver = transport.UdpTransport(("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(15):
            sender.sendto(bytes([number]), receiver._socket.getsockname())
        assert [list(receiver.receive()) for _ in range(2)] == [
            [bytes([number]) for number in range(10)],
            [bytes([number]) for number in range(10, 15)],
        ]
    receiver.close()
