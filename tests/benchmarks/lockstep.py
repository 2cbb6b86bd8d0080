"""The lockstep runner beside a bare loop that calls the same nodes at the same rates, and its cost per step."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embodied import SECOND, Node, Time
from embodied.clock import tick
from embodied.graph.entry import Entry
from embodied.graph.graph import Graph
from embodied.launch import load
from embodied.messages import JointCommand, JointState
from embodied.node.node import generator
from embodied.node.ports import Stamped
from embodied.runtime.episode import VERDICT_PERIOD
from embodied.runtime.lockstep import Lockstep
from tests.benchmarks.table import median, seconds, show

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"
RATE = Fraction(100)
"""Rate of the bare loop [Hz]."""


def bare(seed: int, simulated: float) -> float:
    """Seconds for the truth profile as a loop written by hand: no graph, no mailboxes, no checks, no digest."""
    graph = load(PICK).graph("truth")
    world = graph.world
    assert world is not None
    nodes: dict[str, Any] = {name: entry.node for name, entry in graph.entries.items()}
    arm, detector, guard, ik, policy, task = (nodes[n] for n in ("arm", "detector", "guard", "ik", "policy", "task"))
    guarded_step = partial(guard.step, **unwired(graph.entries["guard"]))
    world.reset(seed)
    for name in sorted(nodes):
        nodes[name].rng = generator(seed, name)
        opener = getattr(nodes[name], "open", None)
        if opener is not None:
            opener(world) if name in ("arm", "detector", "task") else opener()

    def loop() -> None:
        command: Any = None
        joints = gripper = goal = tcp = None
        target = task.step()
        look = 0
        for n in range(round(simulated * 100) + 1):
            now = tick(n, RATE)
            world.advance(now)
            guarded = guarded_step(command=command, joints=joints, now=now)
            seen = detector.step(now) if n % 10 == 0 else None
            out = arm.step(guarded.command)
            joints, gripper = out.state, out.gripper
            if seen is not None and tcp is not None:
                goal = policy.step(seen, tcp, gripper, target, now)
            moved = ik.step(joints, goal)
            tcp = moved.tcp
            command = None if moved.command is None else Stamped(moved.command, now, n, "ik.command")
            while look <= now:
                world.verdict()
                look += VERDICT_PERIOD

    home = arm.robot.limit("home")
    gc.collect()
    taken = seconds(loop)
    away = float(np.abs(arm.step(None).state.position - home).max())
    verdict = world.verdict()
    world.close()
    # Once its block is placed it is at home again.
    if away < 0.1 and (verdict is None or not verdict.passed):
        raise RuntimeError("the arm of the bare loop stood still: the loop no longer does what the graph does")
    return taken


def unwired(entry: Entry) -> dict[str, Any]:
    """Return what a step is given for each input that has no wire."""
    ports = entry.node.ports()
    return {
        name: [] if port.delivery == "every" else None for name, port in ports.inputs.items() if name not in entry.wires
    }


def graph(seed: int, simulated: float) -> float:
    """Seconds for the truth profile in lockstep, with verdicts asked as often."""
    plan = load(PICK).graph("truth").check()
    with Lockstep(plan, seed=seed) as run:

        def loop() -> None:
            for look in range(0, round(simulated * SECOND) + 1, VERDICT_PERIOD):
                run.advance(Time(look))
                run.verdict()

        gc.collect()
        return seconds(loop)


@dataclass
class Source(Node):
    """Seven joints, a hundred times a second."""

    rate = 100.0

    def step(self, now: Time) -> JointState:
        return JointState(position=np.zeros(7), velocity=np.zeros(7), acquired=now)


@dataclass
class Relay(Node):
    """A message in, a message out."""

    rate = 100.0

    def step(self, joints: JointState, other: JointCommand | None) -> JointCommand:
        return JointCommand(position=joints.position + 1.0)


def per_step(count: int) -> tuple[float, float]:
    """Microseconds a node step costs in a graph of `count` nodes: in all, and without the nodes' own work."""
    made = Graph().add("n000", Source())
    for index in range(1, count):
        made.add(f"n{index:03d}", Relay(), joints="n000", other=f"n{max(1, index - 1):03d}")
    steps = max(2_000, 20_000 // count) // 2 * 2
    simulated = steps / 100 / (10 if count >= 100 else 1)
    with Lockstep(made.check()) as run:
        taken = seconds(lambda: run.advance(Time(round(simulated * SECOND))))
        total = sum(node.steps for node in run.report().nodes.values())
    relay, joints = Relay(), Source().step(Time(0))
    own = min(seconds(lambda: [relay.step(joints, None) for _ in range(2000)]) for _ in range(3)) / 2000
    return taken / total * 1e6, taken / total * 1e6 - own * 1e6


def main(small: bool = False) -> None:
    """Print both tables.

    Args:
        small: run each part once and briefly, to see that it works.
    """
    simulated, seeds, rounds = (1.0, 1, 1) if small else (8.0, 7, 5)
    pairs = [(bare(seed, simulated), graph(seed, simulated)) for seed in range(seeds)]
    rows = [[f"pick and place on true poses, no camera, {simulated:.0f} s simulated", "real time", "of the bare loop"]]
    rows.append(["bare loop over the same nodes", f"{simulated / median([b for b, _ in pairs]):.1f}x", "100 %"])
    share = median([b / g for b, g in pairs])
    rows.append(["lockstep graph, with digest", f"{simulated / median([g for _, g in pairs]):.1f}x", f"{share:.0%}"])
    show(f"Lockstep beside a bare PyBullet loop ({seeds} seeds in turn, medians)", rows)

    sizes = (5, 50) if small else (5, 50, 500)
    found: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            found[size].append(per_step(size))
    rows = [["nodes", "µs a step", "µs without the node's own work", "against 5 nodes"]]
    base = median([total for total, _ in found[5]])
    for size in sizes:
        total, extra = (median([pair[i] for pair in found[size]]) for i in (0, 1))
        rows.append([str(size), f"{total:.2f}", f"{extra:.2f}", f"{total / base:.2f}x"])
    show(
        f"Cost of a node step in lockstep: dispatch, mailboxes, checks, digest (100 Hz, 7 joints, medians of {rounds})",
        rows,
    )
