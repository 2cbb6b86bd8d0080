"""Camera replicas: cameras that render in processes of their own, so that physics never waits for a picture.

The process of the bodies publishes the state of the world, at each camera's rate. The camera's process has built the
same world from the same seed; it never advances it, but sets the published state and renders. The node is unchanged.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol, cast, runtime_checkable

from embodied.clock import Time
from embodied.graph.plan import Plan, Planned, Source, opens_world
from embodied.messages.schema import Array, Command, Message, Unit, Vector
from embodied.node.node import Node
from embodied.node.ports import Input, Ports
from embodied.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene(Message):
    """State of everything in a world, in the order of that world."""

    state: Annotated[Vector, Array("n")]
    acquired: Annotated[Time, Unit("ns")]


@runtime_checkable
class Replicable(Protocol):
    """World whose state can be read, and set in a copy of it."""

    def snapshot(self) -> Vector:
        """Return the state of everything in the world."""

    def show(self, state: Vector) -> None:
        """Set the state of a world from the same seed; nothing moves by itself any more."""


class SnapshotPublisher(Node):
    """Publishes the state of the world, in the process of the bodies."""

    def open(self, world: World) -> None:
        """Keep the world whose state is published."""
        self._world = cast(Replicable, world)

    def step(self, now: Time) -> Scene:
        """Publish the state of the world at a time."""
        return Scene(state=self._world.snapshot(), acquired=now)


class CameraReplica(Node):
    """Camera node that renders in a copy of the world.

    Args:
        inner: the camera node as the graph has it.
    """

    def __init__(self, inner: Node) -> None:
        self.inner = inner

    def ports(self) -> Ports:
        """Return the ports of the camera, with the scene as an input that triggers it."""
        ports = self.inner.ports()
        self._now_at = -1 if ports.now is None else _parameters(self.inner).index(ports.now)
        return replace(ports, inputs={"scene": Input("scene", Scene, "latest"), **ports.inputs}, now=None)

    def open(self, world: World) -> None:
        """Open the camera in a copy of the world."""
        self._copy = cast(Replicable, world)
        self.inner.rng, self.inner.listened = self.rng, self.listened
        opener: Any = self.inner.open  # type: ignore[attr-defined]
        opener(world)
        self._step = self.inner.step  # type: ignore[attr-defined]

    def step(self, scene: Scene, *rest: Any) -> Any:
        """Set the state of the world, and step the camera at the time of that state."""
        self._copy.show(scene.state)
        arguments = list(rest)
        if self._now_at >= 0:
            arguments.insert(self._now_at, scene.acquired)
        return self._step(*arguments)

    def close(self) -> None:
        """Close the camera node behind it."""
        closer = getattr(self.inner, "close", None)
        if closer is not None:
            closer()


def _parameters(node: Node) -> list[str]:
    return list(inspect.signature(node.step).parameters)  # type: ignore[attr-defined]


def is_camera(planned: Planned) -> bool:
    """Return whether a node only renders its world: it has a rendered output, a rate and no command."""
    return (
        opens_world(planned.node)
        and planned.rate is not None
        and any(output.rendered for output in planned.ports.outputs.values())
        and not any(issubclass(port.message, Command) for port in planned.ports.inputs.values())
    )


def with_replicas(plan: Plan) -> tuple[Plan, Mapping[str, str]]:
    """Replace the cameras of a plan by replicas, if its world can be copied.

    Returns:
        the plan, and by camera the node in the process of the bodies that publishes the state of the world for it.
    """
    world: object = plan.graph.world
    if not isinstance(world, Replicable):
        return plan, {}
    nodes = dict(plan.nodes)
    scenes: dict[str, str] = {}
    for name, planned in plan.nodes.items():
        if not is_camera(planned):
            continue
        scenes[name] = f"{name}/scene"
        publisher = SnapshotPublisher()
        node = CameraReplica(planned.node)
        sources = {"scene": Source(scenes[name], "scene", None, 1), **planned.sources}
        nodes[scenes[name]] = replace(
            planned, name=scenes[name], node=publisher, ports=publisher.ports(), trigger=None, sources={}
        )
        nodes[name] = replace(planned, node=node, ports=node.ports(), rate=None, trigger="scene", sources=sources)
    return replace(plan, nodes=dict(sorted(nodes.items()))), scenes
