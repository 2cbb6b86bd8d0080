from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xarm.x3.report import ReportDataStructure

from drivers.xarm import codec
from drivers.xarm.codec import Broken, Frame, Register, split, whole
from drivers.xarm.report import Report

frames = st.builds(
    Frame,
    st.integers(0, 65535),
    st.sampled_from([2, 3]),
    st.sampled_from([int(register) for register in Register]),
    st.binary(min_size=1, max_size=200).map(lambda data: bytes([data[0] & 0x7F]) + data[1:]),
)
joints = st.lists(st.floats(-6, 6, width=32), min_size=6, max_size=7)


@given(st.lists(frames, max_size=5), st.data())
def test_frames_come_out_of_a_stream_as_they_went_in_wherever_it_is_cut(sent: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(frame.pack() for frame in sent)
    cut = data.draw(st.integers(0, len(stream)))
    first, rest = split(stream[:cut])
    second, rest = split(rest + stream[cut:])
    assert first + second == sent
    assert rest == b""


@given(frames)
def test_a_reply_is_whole_or_it_is_broken(frame: Frame) -> None:
    data = frame.pack()
    assert whole(data) == frame
    for end in range(len(data)):
        with pytest.raises(Broken):
            whole(data[:end])
    with pytest.raises(Broken):
        whole(data + b"\0")


@pytest.mark.parametrize("head", [b"\0\1\0\2\0\0", b"\0\1\0\2\xff\xff"])
def test_what_claims_to_be_nothing_or_huge_is_no_frame(head: bytes) -> None:
    with pytest.raises(Broken):
        split(head)


@given(joints, joints, joints, st.integers(0, 255), st.integers(1, 5), st.lists(st.integers(-20, 120), min_size=7))
def test_a_report_is_read_by_the_vendor_s_own_structure(
    position: list[float], velocity: list[float], effort: list[float], error: int, state: int, degrees: list[int]
) -> None:
    axes = len(position)
    report = Report(
        axes=axes,
        kind=6,
        state=state,
        mode=1,
        count=3,
        error=error,
        warning=0,
        position=position,
        velocity=velocity[:axes] + [0.0] * (axes - len(velocity)),
        effort=effort[:axes] + [0.0] * (axes - len(effort)),
        pose=[100.0, 20.0, 3.0, 0.1, 0.2, 0.3],
        enabled=True,
        firmware="2.5.0",
        servos=[(1, 15)],
        temperature=degrees[:axes],
        voltage=[24.0] * axes,
        counter=7,
    )
    for port, size in ((30001, 145), (30002, 587), (30003, 135)):
        data = report.pack(port)
        assert len(data) == size
        found = ReportDataStructure.create(port)
        found.update(data)
        assert (found.data_size, found.state, found.mode, found.cmd_num) == (size, state, 1, 3)
        assert np.allclose(found.actual_joint_angle[:axes], position)
        assert np.allclose(found.actual_tcp_pose, report.pose)
        if port != 30003:
            assert (found.error_code, found.warn_code) == (error, 0)
        if port == 30002:
            assert (found.robot_axis, found.robot_type, found.counter) == (axes, 6, 7)
            assert found.temperatures[:axes] == degrees[:axes]
            assert found.servo_status_codes[0] == (1, 15)
            assert np.allclose(found.target_joint_speed[:axes], report.velocity)
            assert found.joint_voltages[:axes] == [2400] * axes


def test_a_request_for_joints_says_how_long_its_reply_is() -> None:
    assert codec.value_size(Frame(1, 2, Register.JOINTS, b"\x03")) == 84
    assert codec.value_size(Frame(1, 2, Register.JOINTS)) == 28
    assert codec.value_size(Frame(1, 2, Register.BUS)) is None
