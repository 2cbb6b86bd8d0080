"""Cameras of a simulated world, rendered in processes of their own: physics never waits for a picture.

The process of the bodies publishes where everything is, at each camera's rate. The camera's process has built the same
world from the same seed; it never advances it, but puts everything where the snapshot says, and renders. The node
cannot tell.
"""

from __future__ import annotations

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
    """Snapshot of a simulated world for its camera replicas: the state of every body, in that world's own order."""

    state: Annotated[Vector, Array("n")]
    acquired: Annotated[Time, Unit("ns")]


@runtime_checkable
class Replicable(Protocol):
    """World whose cameras can be replicated: it snapshots every body, and sets those of a copy of itself."""

    def snapshot(self) -> Vector:
        """Return the state of every body."""

    def show(self, state: Vector) -> None:
        """Put everything where a snapshot of a world from the same seed says; nothing moves by itself any more."""


class SnapshotPublisher(Node):
    """Node beside the bodies that publishes snapshots of their world for camera replicas."""

    def open(self, world: World) -> None:
        """Keep the world whose bodies are published."""
        self._world = cast(Replicable, world)

    def step(self, now: Time) -> Scene:
        """Publish one snapshot of the world."""
        return Scene(state=self._world.snapshot(), acquired=now)


class CameraReplica(Node):
    """Replica of a camera that renders a copy of the world, set to each snapshot.

    Args:
        inner: the node as the graph has it.
    """

    def __init__(self, inner: Node) -> None:
        self.inner = inner

    def ports(self) -> Ports:
        """Those of the node, and the scene."""
        ports = self.inner.ports()
        self._now_at = -1 if ports.now is None else _parameters(self.inner).index(ports.now)
        return replace(ports, inputs={"scene": Input("scene", Scene, "latest"), **ports.inputs}, now=None)

    def open(self, world: World) -> None:
        """Open the node in a copy of the world."""
        self._staged = cast(Replicable, world)
        self.inner.rng, self.inner.listened = self.rng, self.listened
        opener: Any = self.inner.open  # type: ignore[attr-defined]
        opener(world)
        self._step = self.inner.step  # type: ignore[attr-defined]

    def step(self, scene: Scene, *rest: Any) -> Any:
        """Put the world where it was, and look."""
        self._staged.show(scene.state)
        arguments = list(rest)
        if self._now_at >= 0:
            arguments.insert(self._now_at, scene.acquired)
        return self._step(*arguments)

    def close(self) -> None:
        """Close the node inside, if it closes."""
        closer = getattr(self.inner, "close", None)
        if closer is not None:
            closer()


def _parameters(node: Node) -> list[str]:
    import inspect

    return list(inspect.signature(node.step).parameters)  # type: ignore[attr-defined]


def is_camera(planned: Planned) -> bool:
    """Return whether a node is a camera of the simulated world: it only makes pictures, and takes no command."""
    return (
        opens_world(planned.node)
        and planned.rate is not None
        and any(output.rendered for output in planned.ports.outputs.values())
        and not any(issubclass(port.message, Command) for port in planned.ports.inputs.values())
    )


def with_replicas(plan: Plan) -> tuple[Plan, Mapping[str, str]]:
    """Return a plan whose cameras are replicas, which can be rendered in any process.

    Returns:
        the plan, and by camera the node beside the bodies that tells it where everything is.
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
        teller = SnapshotPublisher()
        node = CameraReplica(planned.node)
        (snapshot,) = teller.ports().outputs
        sources = {"scene": Source(scenes[name], snapshot, None, 1), **planned.sources}
        nodes[scenes[name]] = replace(
            planned, name=scenes[name], node=teller, ports=teller.ports(), trigger=None, sources={}
        )
        nodes[name] = replace(planned, node=node, ports=node.ports(), rate=None, trigger="scene", sources=sources)
    return replace(plan, nodes=dict(sorted(nodes.items()))), scenes
