"""Files with messages of a vehicle: law 7, all that the codec will need from a file is proven when it is read."""

from __future__ import annotations

import importlib.util
import os
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from drivers.can_ev.checksum import crc8
from drivers.can_ev.codec import Codec, Malformed
from drivers.can_ev.command_check import Limits
from drivers.can_ev.command_encoder import CommandEncoder
from drivers.can_ev.dbc import Unfit
from drivers.can_ev.driver import CanEV
from drivers.can_ev.e2e_protection import E2EReceiver
from drivers.can_ev.frame import Frame
from drivers.can_ev.generic import GENERIC
from drivers.can_ev.tesla import TESLA
from drivers.can_ev.vehicle import DriveCommand, DriveReport, Vehicle
from drivers.can_ev.vehicles import VEHICLES
from embodied.clock import Time

LIMITS = Limits(speed=3.0, steering=0.5, acceleration=2.0)
TEXT = GENERIC.dbc.read_text("ascii")
NOW = Time(0)


def changed(tmp_path: Path, *pairs: tuple[str, str], vehicle: Vehicle = GENERIC) -> Path:
    """Write the DBC of a vehicle with some texts replaced once."""
    text = vehicle.dbc.read_text("ascii")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "mine.dbc"
    path.write_text(text, "utf-8")
    return path


def refused(path: Path) -> str:
    """Return the one problem that `check` has with a DBC."""
    (problem,) = CanEV(channel="/dev/ttyACM0", interface="slcan", dbc=path).check()
    return problem


@pytest.mark.parametrize("vehicle", VEHICLES.values(), ids=VEHICLES)
def test_every_signal_that_is_put_in_or_taken_out_is_one_that_was_proven(vehicle: Vehicle) -> None:
    layouts = {layout.name: layout for layout in vehicle.layouts}
    for name, signals in {
        **vehicle.encode_command(DriveCommand()),
        **vehicle.encode_report(DriveReport()),
    }.items():
        proven = set(layouts[name].signals) - {layouts[name].counter, layouts[name].checksum}
        assert set(signals) == proven, name

    class Recorded(dict[str, Any]):
        def __missing__(self, name: str) -> float:
            taken.add(name)
            return 0.0

    for layout in vehicle.layouts:
        taken: set[str] = set()
        everything = {other.name: Recorded() for other in vehicle.layouts if other is not layout}
        decode = vehicle.decode_command if layout in vehicle.commands else vehicle.decode_report
        everything[layout.name] = Recorded(dict.fromkeys(layout.signals, 0.0))
        taken.clear()
        decode({name: values for name, values in everything.items() if name == layout.name} | everything)
        assert not taken & set(layout.signals)


def test_another_unit_of_the_same_quantity_is_converted(tmp_path: Path) -> None:
    own = Codec(GENERIC)
    for unit, scale, most in (("km/h", "0.0072", 216), ("kph", "0.0072", 216)):
        text = TEXT.replace('(0.002,0) [-60|60] "m/s"', f'({scale},0) [-{most}|{most}] "{unit}"')
        (tmp_path / "mine.dbc").write_text(text)
        other = Codec(GENERIC, tmp_path / "mine.dbc")
        frame = own.encode("MotionReport", {"Speed": 3.0}, 7)
        assert other.encode("MotionReport", {"Speed": 3.0}, 7) == frame
    text = TEXT.replace('[-1|1] "rad"', '[-1|1] "°"').replace("(0.0001,0) [-1|1]", "(0.01,0) [-90|90]")
    (tmp_path / "mine.dbc").write_text(text, "utf-8")
    degrees = Codec(GENERIC, tmp_path / "mine.dbc").encode("MotionReport", {"Steering": 0.1}, 0)
    assert struct.unpack("<h", degrees.data[4:6]) == (573,)


SPEED = "SG_ Speed : 32|16@1- (0.002,0) [-60|60]"
PAGE = 'SG_ Page M : 60|4@1+ (1,0) [0|15] "" Unit\n'
STEERING = "SG_ Steering : 16|16@1- (0.0001,0) [-1|1]"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            '"m/s^2"',
            '"degC"',
            "unit of DriveCommand.Acceleration, acceleration, must be one of 'm/s^2'",
        ),
        ("BO_ 256 DriveCommand", "BO_ 256 DrivesCommand", "no message 'DriveCommand'; did you mean 'DrivesCommand'"),
        ("SG_ YawRate", "SG_ Yaw", "MotionReport has no signal 'YawRate'"),
        ("SG_ EmergencyStop", "SG_ EmergencyHalt", "StatusReport has no signal 'EmergencyStop'; did you mean"),
        ("SG_ Enable", "SG_ Enabled", "DriveCommand has no signal 'Enable'; did you mean 'Enabled'?"),
        ("SG_ Rejected", "SG_ Refused", "StatusReport has no signal 'Rejected'"),
        ("Checksum : 0|8@1+ (1,0)", "Checksum : 0|7@1+ (1,0)", "DriveCommand.Checksum is not one whole byte"),
        ("Checksum : 0|8@1+ (1,0)", "Checksum : 0|8@0+ (1,0)", "DriveCommand.Checksum is not one whole byte"),
        ("Checksum : 0|8@1+ (1,0)", "Checksum : 0|8@1+ (2,0)", "Checksum is a checksum, and must be a plain unsigned"),
        ("Counter : 8|4@1+ (1,0)", "Counter : 8|4@1- (1,0)", "Counter counts, and must be a plain unsigned number"),
        ("Counter : 8|4@1+ (1,0) [0|15]", "Counter : 8|4@1+ (1,0) [3|4]", ""),
        ("Counter : 8|4@1+ (1,0) [0|15]", "Counter : 8|4@1+ (1,0) [20|30]", "must count at least two values"),
        ("Mode : 12|2@1+ (1,0) [0|2]", "Mode : 12|2@1+ (1,0) [0|1]", "Mode must hold 0 to 2, 2 is outside its range"),
        ("Mode : 12|2@1+ (1,0)", "Mode : 12|2@1+ (0.5,0)", "StatusReport.Mode must be a whole number"),
        (
            "SG_ Enable : 12|1@1+",
            "SG_ Enable : 12|1@1-",
            "DriveCommand.Enable must hold 0 to 1, 1 is outside its range",
        ),
        (SPEED, SPEED.replace("32|16", "24|16"), "Speed and Steering are overlapping in message DriveCommand"),
        (SPEED, SPEED.replace("32|16", "56|16"), "Speed does not fit in message DriveCommand"),
        (SPEED, SPEED.replace("[-60|60]", "[60|-60]"), "DriveCommand.Speed has a minimum above its maximum: [60|-60]"),
        (SPEED, SPEED.replace("0.002", "0"), "DriveCommand.Speed must have a factor other than 0"),
        (SPEED, SPEED.replace("0.002", "1e999"), "DriveCommand.Speed must have a factor other than 0"),
        (SPEED, SPEED.replace("32|16@1-", "32|8@1-"), "must be in [-0.25698, 0.25498] m/s, got 3"),
        (STEERING, STEERING.replace("0.0001", "0.4"), "its steps are too coarse"),
        (
            "SG_ Speed : 16|16@1- (0.002,0) [-60|60]",
            "SG_ Speed : 16|16@1- (0.002,0) [-2|2]",
            "MotionReport.Speed must be in",
        ),
        (
            "SG_ Speed : 32",
            f"{PAGE} SG_ Speed m1 : 32",
            "DriveCommand.Speed is multiplexed",
        ),
        ("SG_ EmergencyStop : 17", f"{PAGE} SG_ EmergencyStop m1 : 17", "StatusReport.EmergencyStop is multiplexed"),
        ("SG_ Gear : 14", "SG_ Gear M : 14", "DriveCommand is sent, and must not be multiplexed"),
        ("BO_ 513 ", "BO_ 512 ", "StatusReport and MotionReport have one identifier, 0x200"),
        ("BO_ 513 ", "BO_ 2032 ", "MotionReport has the identifier of the identity report, 0x7f0"),
        ("BO_ 513 ", "BO_ 2147484161 ", "MotionReport is no classic message with an 11-bit identifier"),
        ("MotionReport: 8", "MotionReport: 16", "MotionReport is no classic message"),
        ("BO_ 514 WheelReport", "BO_ 514 MotionReport", "two messages 'MotionReport'"),
        ("BO_ 512 ", "BO_ ", "no DBC that can be parsed"),
        ('0 "P" 1 "R"', '0 "D" 1 "R"', "DriveCommand.Gear must mean 'P' by 0, got 'D'"),
        ('1 "Autonomous" 2 "Stopping"', '2 "Autonomous" 1 "Stopping"', "StatusReport.Mode must mean 'Autonomous' by 1"),
    ],
)
def test_a_dbc_that_does_not_fit_is_refused_at_check_with_what_was_expected(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    path = changed(tmp_path, (old, new))
    if problem:
        assert problem in refused(path)
    else:
        CommandEncoder(Codec(GENERIC, path)).check(LIMITS)


def test_signals_of_reports_that_are_not_used_may_overlap_or_take_turns(tmp_path: Path) -> None:
    extra = ' SG_ Page M : 0|8@1+ (1,0) [0|255] "" Host\n SG_ Odd m3 : 16|40@1- (0,0) [9|1] "" Host\n'
    path = changed(tmp_path, ("BO_ 513 MotionReport: 8 Unit\n", f"BO_ 513 MotionReport: 8 Unit\n{extra}"))
    own, other = Codec(GENERIC), Codec(GENERIC, path)
    frame = own.encode("MotionReport", {"Speed": 1.5, "Steering": -0.25, "YawRate": 0.5}, 3)
    assert other.decode(frame) == own.decode(frame)


@pytest.mark.parametrize(
    ("first", "last", "numbers"),
    [(0, 15, range(16)), (1, 10, range(1, 11)), (0, 14, range(15)), (0, 0, range(16)), (0, 255, range(16))],
)
def test_a_counter_runs_through_the_range_that_its_dbc_states(
    tmp_path: Path, first: int, last: int, numbers: range
) -> None:
    old = 'MotionReport: 8 Unit\n SG_ Checksum : 0|8@1+ (1,0) [0|255] "" Host\n SG_ Counter : 8|4@1+ (1,0) '
    codec = Codec(GENERIC, changed(tmp_path, (f"{old}[0|15]", f"{old}[{first}|{last}]")))
    receiver = E2EReceiver(codec, [GENERIC.reports[1]])
    frames = [codec.encode("MotionReport", {}, count) for count in range(40)]
    assert [frame.data[1] & 0xF for frame in frames] == [numbers[count % len(numbers)] for count in range(40)]
    assert all(receiver.receive(frame, NOW) for frame in frames)
    assert receiver.rejected == 0


def test_a_counter_beyond_its_range_is_not_accepted(tmp_path: Path) -> None:
    old = 'MotionReport: 8 Unit\n SG_ Checksum : 0|8@1+ (1,0) [0|255] "" Host\n SG_ Counter : 8|4@1+ (1,0) '
    codec = Codec(GENERIC, changed(tmp_path, (f"{old}[0|15]", f"{old}[1|10]")))
    data = bytearray(8)
    data[1] = 11
    data[0] = crc8(513, bytes(data), 0)
    with pytest.raises(Malformed, match=r"MotionReport.Counter must be in \[1, 10\], got 11"):
        codec.decode(Frame(513, bytes(data)))


@pytest.mark.parametrize("bounds", ["[0|0]", "[-1e300|1e300]"])
@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), 3e38])
def test_a_number_that_is_none_never_leaves_the_codec(tmp_path: Path, bounds: str, number: float) -> None:
    speed = 'SG_ Speed : 16|16@1- (0.002,0) [-60|60] "m/s" Host\n SG_ Steering : 32|16'
    path = changed(
        tmp_path,
        (speed, f'SG_ Speed : 16|32@1- (1,0) {bounds} "m/s" Host\n SG_ Steering : 48|8'),
        ('(0.0001,0) [-1|1] "rad" Host\n SG_ YawRate : 48|16', '(0.01,0) [-1|1] "rad" Host\n SG_ YawRate : 56|8'),
        ("(0.0002,0) [-6|6]", "(0.05,0) [-6|6]"),
        ("VAL_ 256 Gear", "SIG_VALTYPE_ 513 Speed : 1;\n\nVAL_ 256 Gear"),
    )
    codec = Codec(GENERIC, path)
    assert codec.decode(codec.encode("MotionReport", {"Speed": 1.5}, 0)).signals["Speed"] == 1.5
    data = bytearray(codec.encode("MotionReport", {"Speed": 1.5}, 0).data)
    data[2:6] = struct.pack("<f", number)
    data[0] = crc8(513, bytes(data), 0)
    with pytest.raises(Malformed, match=r"MotionReport.Speed must be in"):
        codec.decode(Frame(513, bytes(data)))


def test_a_gear_that_has_no_letter_is_no_gear(tmp_path: Path) -> None:
    pairs = [(' SG_ Gear : 14|2@1+ (1,0) [0|3] "" Host', ' SG_ Gear : 40|4@1+ (1,0) [0|15] "" Host')]
    codec = Codec(GENERIC, changed(tmp_path, *pairs))
    status = codec.decode(codec.encode("StatusReport", {"Gear": 9}, 0)).signals
    motion = codec.decode(codec.encode("MotionReport", {}, 0)).signals
    assert GENERIC.decode_report({"StatusReport": status, "MotionReport": motion}).gear == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "latin-1"])
def test_a_dbc_is_read_in_whatever_its_editor_wrote(tmp_path: Path, encoding: str) -> None:
    quotes = "“every” – 10 ms" if encoding != "latin-1" else "\x81 élan °"
    (tmp_path / "mine.dbc").write_text(TEXT.replace("Every 10 ms.", quotes), encoding)
    codec = Codec(GENERIC, tmp_path / "mine.dbc")
    assert codec.encode("MotionReport", {"Speed": 3.0}, 7) == Codec(GENERIC).encode("MotionReport", {"Speed": 3.0}, 7)


def test_a_dbc_of_another_vehicle_or_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unfit, match="no message 'DriveCommand'"):
        Codec(GENERIC, TESLA.dbc)
    with pytest.raises(Unfit, match="cannot be read: No such file"):
        Codec(GENERIC, tmp_path / "there is none.dbc")


def test_what_is_no_file_with_an_end_is_refused_at_once(tmp_path: Path) -> None:
    pipe, huge = tmp_path / "pipe.dbc", tmp_path / "huge.dbc"
    os.mkfifo(pipe)
    huge.touch()
    os.truncate(huge, 1 << 40)
    began = time.monotonic()
    assert "it is no file with content, but a pipe" in refused(pipe)
    assert "it is larger than 16000000 bytes" in refused(huge)
    assert "it is a folder" in refused(tmp_path)
    assert "cannot be read" in refused(Path("/dev/zero"))
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('0 "P" 1 "R" 2 "N" 3 "D"', '0 "Park" 1 "Reverse" 2 "Neutral" 3 "Drive"'),
        ('0 "P" 1 "R" 2 "N" 3 "D"', '0 "GEAR_P" 1 "GEAR_R" 2 "GEAR_N" 3 "GEAR_D"'),
        ('1 "Autonomous"', '1 "AUTO"'),
        ("SG_ Rejected : 24|16@1+ (1,0) [0|65535]", "SG_ Rejected : 24|8@1- (1,0) [0|0]"),
        ("SG_ Gear : 14|2@1+ (1,0) [0|3]", "SG_ Gear : 40|4@1- (1,0) [0|0]"),
    ],
)
def test_labels_and_lengths_of_ones_own_are_taken(tmp_path: Path, old: str, new: str) -> None:
    if "Gear :" in old:
        text = TEXT.replace(' SG_ Gear : 14|2@1+ (1,0) [0|3] "" Host', f' {new} "" Host')
        (tmp_path / "mine.dbc").write_text(text)
    else:
        changed(tmp_path, (old, new))
    codec = Codec(GENERIC, tmp_path / "mine.dbc")
    CommandEncoder(codec).check(LIMITS)
    status = codec.decode(codec.encode("StatusReport", {"Gear": 3, "Mode": 1}, 0)).signals
    assert (status["Gear"], status["Mode"]) == (3, 1)


def test_the_whole_file_of_a_tesla_is_taken() -> None:
    whole = next((file for file in opendbc_files() if file.name == "tesla_model3_party.dbc"), None)
    if whole is None:
        pytest.skip("not installed: opendbc")
    assert not list(CanEV(channel="can0", vehicle="tesla", dbc=whole).check())
    own, other = Codec(TESLA), Codec(TESLA, whole)
    for name, signals in TESLA.encode_command(DriveCommand(enable=True, speed=2.0, steering=0.3)).items():
        assert own.encode(name, signals, 5) == other.encode(name, signals, 5)


def test_what_is_about_other_messages_cannot_matter(tmp_path: Path) -> None:
    noise = """
BO_ 1275 2017_5: 8 XXX
 SG_ 0_COUNTER : 35|4@0+ (nonsense) [0|255] "" XXX

BO_ 103530547 BSM_LEFT: 8 XXX
 SG_ LEFT : 1|1@0+ (1,0) [0|1] "" XXX

CM_ 145 "of no kind";
CM_ BO_ 1275 "one comment
BO_ 256 DriveCommand: 8 Host
over three lines";
VAL_ 256 Removed 0 "P" 1 "R";
VAL_ 9999 Nobody 0 "P" ;
"""
    (tmp_path / "mine.dbc").write_text(TEXT + noise)
    codec = Codec(GENERIC, tmp_path / "mine.dbc")
    assert codec.encode("MotionReport", {"Speed": 3.0}, 7) == Codec(GENERIC).encode("MotionReport", {"Speed": 3.0}, 7)


def opendbc_files() -> list[Path]:
    """Return the DBCs of opendbc, if it is installed."""
    if (spec := importlib.util.find_spec("opendbc")) is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("dbc/**/*.dbc"))


def test_every_dbc_of_opendbc_is_read() -> None:
    if not (files := opendbc_files()):
        pytest.skip("not installed: opendbc")
    for file in files:
        problem = refused(file)
        assert "it has no message 'DriveCommand'" in problem, problem
    assert len(files) > 100


@pytest.mark.parametrize(
    "text",
    [
        "BO_ 256 DriveCommand: 8 Host\n" + ' SG_ A : 0|8@1+ (1,0) [0|255] "" Host\n' * 100_000,
        'BA_DEF_ "x" INT 0 1;\n' * 100_000,
        'CM_ "' * 100_000,
        'VAL_ 256 Gear 0 "' * 100_000,
        '"\\' * 200_000,
        "(" * 300_000,
    ],
    ids=["signals", "attributes", "comments", "values", "texts", "brackets"],
)
def test_a_dbc_of_great_length_is_refused_in_time(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.dbc").write_text(text)
    began = time.monotonic()
    assert len(refused(tmp_path / "mine.dbc")) < 1000
    assert time.monotonic() - began < 5.0


def test_limits_beyond_what_a_tesla_takes_are_refused() -> None:
    driver = CanEV(channel="/dev/ttyACM0", interface="slcan", vehicle="tesla", steering_limit=0.6)
    driver.rate = 100.0
    rate, steering = driver.check()
    assert "rate must be in [50, 50] Hz, got 100" in rate
    assert (
        steering
        == "steering_limit must be at most 0.5236 rad, all that a Tesla Model 3 and Y, party bus takes, got 0.6"
    )
