"""Scripts of a vehicle on the ground: parameters, plans, telemetry, files, the shell."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from mavsdk.plugins.ftp import Ftp
from mavsdk.plugins.geofence import Circle, FenceType, Geofence, GeofenceData, Point, Polygon
from mavsdk.plugins.info import Info, InfoError
from mavsdk.plugins.log_files import LogFiles, LogFilesError
from mavsdk.plugins.mavlink_direct import MavlinkDirect, MavlinkMessage
from mavsdk.plugins.mission_raw import MissionItem, MissionRaw
from mavsdk.plugins.param import Param
from mavsdk.plugins.rtk import RtcmData, Rtk
from mavsdk.plugins.server_utility import ServerUtility, StatusTextType
from mavsdk.plugins.shell import Device, Shell

from tests.drivers.mavlink.clients.session import Session

PLAN = {
    "fileType": "Plan",
    "groundStation": "QGroundControl",
    "version": 1,
    "geoFence": {"circles": [], "polygons": [], "version": 2},
    "rallyPoints": {"points": [[47.3976, 8.5453, 0], [47.3988, 8.5452, 0]], "version": 2},
    "mission": {
        "version": 2,
        "firmwareType": 12,
        "vehicleType": 2,
        "cruiseSpeed": 15,
        "hoverSpeed": 5,
        "plannedHomePosition": [47.3977, 8.5456, None],
        "items": [
            {
                "type": "SimpleItem",
                "autoContinue": True,
                "command": command,
                "doJumpId": n,
                "frame": frame,
                "params": params,
            }
            for n, (command, frame, params) in enumerate(
                [
                    (22, 3, [0, 0, 0, None, 47.3977, 8.5456, 20]),
                    (16, 3, [0, 0, 0, None, 47.3978, 8.5456, 20]),
                    (20, 2, [0, 0, 0, 0, 0, 0, 0]),
                ],
                1,
            )
        ],
    },
}
"""Plan as QGroundControl saves it: take-off, a waypoint, return, and two rally points."""


def all_params(session: Session) -> None:
    every = Param(session.system).get_all_params()
    assert {"NAV_DLL_ACT", "COM_DL_LOSS_T"} <= {param.name for param in every.int_params}
    assert {"COM_OF_LOSS_T", "MIS_TAKEOFF_ALT"} <= {param.name for param in every.float_params}


def upload_params(session: Session) -> None:
    params = Param(session.system)
    for name, value in (("MIS_TAKEOFF_ALT", 3.5), ("RTL_RETURN_ALT", 6.0)):
        params.set_param_float(name, value)
        assert params.get_param_float(name) == value
    params.set_param_int("NAV_DLL_ACT", 1)
    assert params.get_param_int("NAV_DLL_ACT") == 1


def firmware_version(session: Session) -> None:
    info = Info(session.system)

    def received() -> bool:
        try:
            return bool(info.get_version().flight_sw_major == 1 and info.get_identification().hardware_uid)
        except InfoError as error:
            assert "NOT_RECEIVED_YET" in str(error)
            return False

    session.wait("its version", received)


def geofence(session: Session) -> None:
    session.wait("home", lambda: session.telemetry.health().is_home_position_ok)
    corners = [Point(*session.geodetic(*corner)) for corner in ((-20, -20), (20, -20), (20, 20), (-20, 20))]
    zones = [Circle(Point(*session.geodetic(10, 10)), 3.0, FenceType.EXCLUSION)]
    fence = Geofence(session.system)
    fence.upload_geofence(GeofenceData([Polygon(corners, FenceType.INCLUSION)], zones))
    kept = fence.download_geofence()
    assert len(kept.polygons[0].points) == 4
    assert len(kept.circles) == 1
    fence.clear_geofence()


def mission_raw(session: Session) -> None:
    nan = float("nan")
    items = [
        MissionItem(n, 3, 16, int(n == 0), 1, 0, 10, 0, nan, 474027175, 85428502 + 7000 * n, 30.0, 0) for n in range(2)
    ]
    missions = MissionRaw(session.system)
    missions.upload_mission(items)
    assert [item.y for item in missions.download_mission()] == [85428502, 85435502]
    missions.clear_mission()


def mission_import(session: Session) -> None:
    missions = MissionRaw(session.system)
    plan = missions.import_qgroundcontrol_mission_from_string(json.dumps(PLAN))
    missions.upload_mission(plan.mission_items)
    missions.upload_rally_points(plan.rally_items)
    assert [item.command for item in missions.download_mission()] == [22, 16, 20]
    assert len(missions.download_rallypoints()) == 2


def highres_imu(session: Session) -> None:
    session.telemetry.set_rate_imu(50.0)
    session.wait("gravity", lambda: abs(session.telemetry.imu().acceleration_frd.down_m_s2 + 9.81) < 0.5)


def mavlink_direct_receive(session: Session) -> None:
    received: list[Any] = []
    direct = MavlinkDirect(session.system)
    direct.subscribe_message("ATTITUDE", lambda message, _: received.append(json.loads(message.fields_json)))
    session.wait("attitudes", lambda: len(received) > 3)
    assert abs(received[-1]["roll"]) < 0.1


def mavlink_direct_send(session: Session) -> None:
    received: list[Any] = []
    direct = MavlinkDirect(session.system)
    direct.subscribe_message("PING", lambda message, _: received.append(json.loads(message.fields_json)))
    fields = {"time_usec": 77, "seq": 5, "target_system": 0, "target_component": 0}
    direct.send_message(MavlinkMessage("PING", 245, 190, 0, 0, json.dumps(fields)))
    session.wait("the answer to a ping", lambda: any(ping["seq"] == 5 for ping in received))


def telemetry(session: Session) -> None:
    told = session.telemetry
    session.wait("a battery", lambda: told.battery().remaining_percent > 50)
    session.wait("satellites", lambda: told.gps_info().num_satellites > 6)
    session.wait("a position", lambda: abs(told.position().latitude_deg - 47.3977) < 0.001)
    session.wait("a height", lambda: abs(told.altitude().altitude_amsl_m - 488.0) < 1.0)


def telemetry_flight_mode(session: Session) -> None:
    session.wait("hold", lambda: session.telemetry.flight_mode().name == "HOLD")


def telemetry_is_armed_is_in_air(session: Session) -> None:
    session.healthy()
    assert not session.telemetry.armed()
    assert not session.telemetry.in_air()
    session.action.arm()
    session.wait("armed", session.telemetry.armed)
    session.action.disarm()
    session.wait("disarmed", lambda: not session.telemetry.armed())


def telemetry_status_text(session: Session) -> None:
    texts: list[str] = []
    session.telemetry.subscribe_status_text(lambda status, _: texts.append(status.text))
    session.healthy()
    session.action.arm()
    session.action.disarm()
    session.wait("texts", lambda: any("Disarmed" in text for text in texts))


def px4_ev_automation(session: Session) -> None:
    session.wait("on the ground", lambda: session.telemetry.landed_state().name == "ON_GROUND")


def rtcm(session: Session) -> None:
    Rtk(session.system).send_rtcm_data(RtcmData(base64.b64encode(bytes(range(0xD3, 0xF0))).decode()))


def send_status_message(session: Session) -> None:
    ServerUtility(session.system).send_status_text(StatusTextType.INFO, "hello")


def tune(session: Session) -> None:
    """Send a tune as a message, since this version of MAVSDK takes none of its own lists of notes."""
    fields = {"target_system": 1, "target_component": 1, "format": 1, "tune": "T200L4GAB"}
    MavlinkDirect(session.system).send_message(MavlinkMessage("PLAY_TUNE_V2", 245, 190, 1, 1, json.dumps(fields)))


def shell(session: Session) -> None:
    lines: list[Any] = []
    nsh = Shell(session.system)
    nsh.subscribe_receive(lambda receive, _: lines.append(getattr(receive, "data", receive)))
    nsh.send("nosuch thing\n", Device.SHELL)
    session.wait("an answer", lambda: "nosuch: command not found" in "".join(map(str, lines)))


def ftp_list_dir(session: Session) -> None:
    assert [entry.name for entry in Ftp(session.system).list_directory("/").entries] == ["etc"]


def ftp_download_file(session: Session) -> None:
    results: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        Ftp(session.system).download_async(
            "/etc/parameters.txt", folder, False, lambda result, progress, _: results.append((result.name, progress))
        )
        session.wait("the file", lambda: bool(results) and results[-1][0] not in ("NEXT",))
        assert results[-1][0] == "SUCCESS", results[-1][0]
        assert "COM_OF_LOSS_T" in (Path(folder) / "parameters.txt").read_text()


def logfile_download(session: Session) -> None:
    """It has no logs, and answers so."""
    try:
        assert not LogFiles(session.system).get_entries()
    except LogFilesError as error:
        assert "NO_LOGFILES" in str(error)


SCRIPTS = [
    *(all_params, upload_params, firmware_version, geofence, mission_raw, mission_import, highres_imu),
    *(mavlink_direct_receive, mavlink_direct_send, telemetry, telemetry_flight_mode, telemetry_is_armed_is_in_air),
    *(telemetry_status_text, px4_ev_automation, rtcm, send_status_message, tune, shell, ftp_list_dir),
    *(ftp_download_file, logfile_download),
]
"""Scripts that leave the vehicle as they find it, and so may follow each other."""
