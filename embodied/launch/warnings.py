"""Warnings about a graph that is right and may still do what nobody wants: a tool turned over, a gripper too narrow."""

from __future__ import annotations

from collections.abc import Iterator

from embodied.geometry import transform
from embodied.graph.plan import Plan, Planned
from embodied.messages import Goal
from embodied.robot import Robot

UPWARDS_MOST = 0.1
"""Vertical part of a tool's direction at home above which it does not point down."""


def plan_warnings(plan: Plan) -> Iterator[str]:
    """Yield a sentence with both figures for each robot that does not fit the node whose goals it follows."""
    for node in plan.nodes.values():
        robot = getattr(node.node, "robot", None)
        goals = [source.node for name, source in node.sources.items() if node.ports.inputs[name].message is Goal]
        if not isinstance(robot, Robot) or not goals:
            continue
        yield from _tool_warnings(robot)
        for goal in goals:
            yield from _gripper_warnings(robot, plan.nodes[goal])


def _tool_warnings(robot: Robot) -> Iterator[str]:
    tool = robot.tool
    pose = transform(tool.position, tool.rpy)
    along = float(pose[:3, 2] @ pose[:3, 3])
    up = float(robot.chain.tool(robot.limit("home"))[2, 2])
    if along < 0.0:
        rpy = ", ".join(f"{angle:g}" for angle in tool.rpy)
        yield (
            f"the tool of '{robot.name}' points back into its link: its z leads {along:+.3f} m along its own position, "
            f"where it should lead {-along:+.3f} m; turn rpy = [{rpy}] by half a turn"
        )
    elif up > UPWARDS_MOST:
        yield (
            f"the tool of '{robot.name}' does not point down at home: the vertical part of its z is {up:+.2f}, and -1 "
            "is straight down; correct its rpy, or home"
        )


def _gripper_warnings(robot: Robot, policy: Planned) -> Iterator[str]:
    for setting, does in (("opening", "opens the gripper to"), ("block", "grasps blocks of")):
        value = getattr(policy.node, setting, None)
        if isinstance(value, float | int) and not isinstance(value, bool) and value > robot.opening:
            yield (
                f"'{policy.name}' {does} {value:g} m ({setting}), and the gripper of '{robot.name}' opens to "
                f"{robot.opening:g} m"
            )
