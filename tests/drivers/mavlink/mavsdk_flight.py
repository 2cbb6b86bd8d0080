"""Flight with unmodified MAVSDK of the autopilot that sends to a port; each step is printed when it is done.

MAVSDK is a native library: `test_mavsdk.py` runs this in a process of its own, which ends without unloading it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

from mavsdk import ComponentType, Configuration, Mavsdk
from mavsdk.plugins.action import Action
from mavsdk.plugins.mission import Mission, MissionItem, MissionPlan
from mavsdk.plugins.offboard import Offboard, PositionNedYaw
from mavsdk.plugins.telemetry import Telemetry

PAUSE = threading.Event()


def until(condition: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"not within {seconds:.0f} s: {what}")
        PAUSE.wait(0.05)
    print(what, flush=True)


def fly(port: int) -> None:
    mavsdk = Mavsdk(Configuration.create_with_component_type(ComponentType.GROUND_STATION))
    mavsdk.add_any_connection(f"udpin://127.0.0.1:{port}")
    until(lambda: any(system.has_autopilot() for system in mavsdk.get_systems()), "found")
    system = next(system for system in mavsdk.get_systems() if system.has_autopilot())
    action, telemetry, offboard, mission = Action(system), Telemetry(system), Offboard(system), Mission(system)
    until(telemetry.health_all_ok, "healthy")
    action.arm()
    until(telemetry.armed, "armed")
    action.set_takeoff_altitude(1.5)
    action.takeoff()
    until(lambda: telemetry.position().relative_altitude_m > 1.1, "taken off")
    offboard.set_position_ned(PositionNedYaw(1.0, 0.5, -1.5, 0.0))
    offboard.start()

    def there() -> bool:
        at = telemetry.position_velocity_ned().position
        return bool(abs(at.north_m - 1.0) < 0.2 and abs(at.east_m - 0.5) < 0.2)

    until(there, "flown offboard")
    offboard.stop()
    here = telemetry.position()
    item = MissionItem(
        latitude_deg=here.latitude_deg - 1.8e-5,  # two metres back
        longitude_deg=here.longitude_deg,
        relative_altitude_m=1.5,
        speed_m_s=float("nan"),
        is_fly_through=True,
        loiter_time_s=0.0,
        acceptance_radius_m=0.3,
    )
    mission.upload_mission(MissionPlan([item]))
    assert len(mission.download_mission().mission_items) == 1
    mission.start_mission()
    until(lambda: telemetry.position_velocity_ned().position.north_m < -0.6, "flown a mission")
    action.land()
    until(lambda: not telemetry.armed(), "landed and disarmed")


if __name__ == "__main__":
    fly(int(sys.argv[1]))
    # Its threads may crash while the interpreter shuts down, which is not tested here.
    sys.stdout.flush()
    os._exit(0)
