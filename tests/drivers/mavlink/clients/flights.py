"""Scripts of a vehicle that flies: each begins on the ground, and ends there or in the air."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from mavsdk.plugins.action import OrbitYawBehavior
from mavsdk.plugins.failure import Failure, FailureType, FailureUnit
from mavsdk.plugins.follow_me import Config, FollowMe, TargetLocation
from mavsdk.plugins.manual_control import ManualControl
from mavsdk.plugins.mission import Mission, MissionItem, MissionPlan
from mavsdk.plugins.offboard import Attitude, PositionNedYaw, VelocityBodyYawspeed, VelocityNedYaw
from mavsdk.plugins.param import Param

from tests.drivers.mavlink.clients.session import PAUSE, Session


def offboard(session: Session) -> None:
    """Arm, and change to offboard mode with a set-point that stands."""
    session.healthy()
    session.action.arm()
    session.offboard.set_velocity_ned(VelocityNedYaw(0.0, 0.0, 0.0, 0.0))
    session.offboard.start()


def headed(session: Session, degrees: float) -> bool:
    """Return whether it has a heading, within 10 degrees."""
    return abs(math.remainder(session.heading - degrees, 360.0)) < 10


def takeoff_and_land(session: Session) -> None:
    session.lift()
    session.land()


def telemetry_takeoff_and_land(session: Session) -> None:
    session.lift(5.0)
    assert abs(session.height - 5.0) < 0.5
    session.wait("in the air", session.telemetry.in_air)
    session.land()
    session.wait("on the ground", lambda: not session.telemetry.in_air())


def goto(session: Session) -> None:
    session.lift()
    sea = session.telemetry.home().absolute_altitude_m
    session.action.goto_location(*session.geodetic(6.0, -4.0), sea + 5.0, 90.0)
    session.arrives(6.0, -4.0, -5.0)
    session.wait("headed east", partial(headed, session, 90.0))


def do_orbit(session: Session) -> None:
    session.lift()
    sea = session.telemetry.home().absolute_altitude_m
    behaviour = OrbitYawBehavior.HOLD_FRONT_TO_CIRCLE_CENTER
    session.action.do_orbit(4.0, 2.0, behaviour, *session.geodetic(4.0, 0.0), sea + 4.0)
    session.arrives(4.0, 4.0, -4.0, near=1.2)
    session.arrives(4.0, -4.0, -4.0, near=1.2)
    session.wait("facing the centre", lambda: abs(math.remainder(session.heading - 90.0, 360.0)) < 60)
    session.action.return_to_launch()


def failure_injection(session: Session) -> None:
    Param(session.system).set_param_int("SYS_FAILURE_EN", 1)
    session.lift()
    Failure(session.system).inject(FailureUnit.SENSOR_GPS, FailureType.OFF, 0)
    session.wait("landing without satellites", lambda: session.telemetry.flight_mode().name == "LAND")
    session.wait("landed", lambda: not session.telemetry.armed())


def follow_me_example(session: Session) -> None:
    follow = FollowMe(session.system)
    follow.set_config(Config(8.0, 2.0, 0.1, Config.FollowAltitudeMode(0), 8.0, 0.0))
    session.lift()
    follow.start()
    session.wait("following", lambda: session.telemetry.flight_mode().name == "FOLLOW_ME")
    latitude, longitude = session.geodetic(8.0, 0.0)
    follow.set_target_location(TargetLocation(latitude, longitude, 488.0, 0.0, 0.0, 0.0))
    session.arrives(6.0, 0.0, -8.0, near=0.8)
    follow.stop()
    session.wait("holding", lambda: session.telemetry.flight_mode().name == "HOLD")


def manual_control(session: Session) -> None:
    sticks = ManualControl(session.system)
    sticks.set_manual_control_input(0.0, 0.0, 0.5, 0.0)
    session.lift()
    sticks.set_manual_control_input(0.0, 0.0, 0.5, 0.0)
    sticks.start_position_control()

    def push(x: float, y: float, z: float, r: float, condition: Callable[[], bool]) -> bool:
        sticks.set_manual_control_input(x, y, z, r)
        return condition()

    north = session.place[0]
    east = session.place[1]
    # Headed east at first: ahead is east, and right is south.
    session.wait("ahead", lambda: push(1.0, 0.0, 0.5, 0.0, lambda: session.place[1] > east + 2))
    session.wait("right", lambda: push(0.0, 1.0, 0.5, 0.0, lambda: session.place[0] < north - 2))
    session.wait("up", lambda: push(0.0, 0.0, 1.0, 0.0, lambda: session.height > 4))
    session.wait("mode", lambda: session.telemetry.flight_mode().name == "POSCTL")


def mission(session: Session) -> None:
    missions = Mission(session.system)
    session.healthy()
    places = [session.geodetic(*place) for place in ((4.0, 0.0), (4.0, -8.0), (-4.0, -8.0))]
    items = [MissionItem(*place, 4.0, 5.0, True) for place in places[:2]]
    items.append(MissionItem(*places[2], 4.0, 5.0, False, loiter_time_s=1.0, yaw_deg=-90.0))
    missions.set_return_to_launch_after_mission(True)
    missions.upload_mission(MissionPlan(items))
    assert len(missions.download_mission().mission_items) == 3
    session.action.arm()
    missions.start_mission()
    session.wait("the last item", lambda: missions.mission_progress().current == 3)
    session.wait("at the last place", lambda: abs(session.place[0] + 4) < 1.0)
    session.wait("returned and landed", lambda: not session.telemetry.armed(), 90.0)
    assert max(map(abs, session.place)) < 1.0


def offboard_attitude(session: Session) -> None:
    offboard(session)
    session.offboard.set_attitude(Attitude(0.0, 0.0, 0.0, 0.65))
    session.wait("up", lambda: session.height > 2.0)
    session.offboard.set_attitude(Attitude(15.0, 0.0, 0.0, 0.5))
    session.wait("right of north", lambda: session.place[1] > 2.0)
    session.offboard.stop()
    session.wait("holding", lambda: session.telemetry.flight_mode().name == "HOLD")


def offboard_position_ned(session: Session) -> None:
    offboard(session)
    for north, east, down, yaw in ((0.0, 0.0, -3.0, 0.0), (3.0, 0.0, -3.0, 90.0), (3.0, 4.0, -3.0, 180.0)):
        session.offboard.set_position_ned(PositionNedYaw(north, east, down, yaw))
        session.arrives(north, east, down)
        session.wait("the yaw", partial(headed, session, yaw))
    session.offboard.stop()


def offboard_position_velocity_ned(session: Session) -> None:
    offboard(session)
    position, velocity = PositionNedYaw(0.0, 0.0, -4.0, 0.0), VelocityNedYaw(0.0, 0.0, -1.0, 0.0)
    session.offboard.set_position_velocity_ned(position, velocity)
    session.wait("up", lambda: session.height > 3.5)
    position, velocity = PositionNedYaw(6.0, 0.0, -4.0, 0.0), VelocityNedYaw(1.0, 0.0, 0.0, 0.0)
    session.offboard.set_position_velocity_ned(position, velocity)
    session.wait("north", lambda: session.place[0] > 5.0)
    session.land()


def offboard_velocity_ned(session: Session) -> None:
    offboard(session)
    session.offboard.set_velocity_ned(VelocityNedYaw(0.0, 0.0, -2.0, 0.0))
    session.wait("up", lambda: session.height > 3.0)
    session.offboard.set_velocity_ned(VelocityNedYaw(2.0, 0.0, 0.0, 90.0))
    session.wait("north", lambda: session.place[0] > 3.0)
    session.wait("at its speed", lambda: abs(session.telemetry.velocity_ned().north_m_s - 2.0) < 0.3)
    session.offboard.set_velocity_ned(VelocityNedYaw(0.0, -2.0, 0.0, 270.0))
    session.wait("west", lambda: session.place[1] < -2.0)
    session.offboard.set_velocity_ned(VelocityNedYaw(0.0, 0.0, 1.0, 0.0))
    session.wait("down", lambda: session.height < 2.5)
    session.offboard.stop()


def offboard_velocity_body(session: Session) -> None:
    offboard(session)
    session.offboard.set_velocity_body(VelocityBodyYawspeed(0.0, 0.0, -1.0, 60.0))
    session.wait("up", lambda: session.height > 2.0)
    session.offboard.set_velocity_body(VelocityBodyYawspeed(0.0, 0.0, 0.0, 30.0))
    session.wait("headed east", lambda: abs(session.heading - 90.0) < 5)
    session.offboard.set_velocity_body(VelocityBodyYawspeed(2.0, 0.0, 0.0, 0.0))
    session.wait("east", lambda: session.place[1] > 3.0)
    assert abs(session.place[0]) < 1.5
    session.offboard.set_velocity_body(VelocityBodyYawspeed(0.0, -2.0, 0.0, 0.0))
    session.wait("north", lambda: session.place[0] > 2.0)
    session.offboard.stop()


def offboard_from_csv(session: Session) -> None:
    """Fly a lemniscate of positions and velocities at 10 Hz, as a trajectory from a file is flown."""
    offboard(session)
    session.offboard.set_position_ned(PositionNedYaw(0.0, 0.0, -3.0, 0.0))
    session.arrives(0.0, 0.0, -3.0)
    for step in range(150):
        turn, rate = step / 150 * math.tau, math.tau / 15
        position = PositionNedYaw(3 * math.sin(turn), 2 * math.sin(2 * turn), -3.0, 0.0)
        velocity = VelocityNedYaw(3 * rate * math.cos(turn), 4 * rate * math.cos(2 * turn), 0.0, 0.0)
        session.offboard.set_position_velocity_ned(position, velocity)
        PAUSE.wait(0.1)
        away = math.dist(session.place, (position.north_m, position.east_m, position.down_m))
        assert away < 1.5, f"{away:.1f} m off its trajectory at step {step}"
    session.land()


SCRIPTS = [
    *(takeoff_and_land, telemetry_takeoff_and_land, goto, do_orbit, failure_injection, follow_me_example),
    *(manual_control, mission, offboard_attitude, offboard_position_ned, offboard_position_velocity_ned),
    *(offboard_velocity_ned, offboard_velocity_body, offboard_from_csv),
]
"""Scripts that each need a vehicle of their own."""
