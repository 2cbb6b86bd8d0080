"""Contract of a node: a pure step, settings that survive as plain data, ports that hold what they declare.

    class TestDetector(NodeContract):
        def node(self) -> Node:
            return Detector(threshold=0.5)

Override `world` too for a node that lives in one, and `inputs` where a step needs more than random messages.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any
from unittest import SkipTest

import numpy as np

from embodied.clock import Time
from embodied.devices.virtual import VirtualDevice
from embodied.errors import MissingExtra
from embodied.graph.plan import opens_world
from embodied.messages.encoding import encoder
from embodied.node.node import Driver, Node, generator
from embodied.node.ports import Input, Ports, Stamped
from embodied.node.settings import Context, convert, field_types
from embodied.plain_data import describe, dumps
from embodied.robot import Robot
from embodied.testing.samples import sample
from embodied.testing.world_contract import comparable
from embodied.world import World

PERIOD = 10_000_000
"""Time between two steps [ns]."""


class NodeContract:
    """Contract of a node: base of its test, to inherit, and say which node it is.

    Attributes:
        steps: steps that two runs are compared over.
        seed: seed of the inputs, and of the node's own random numbers.
    """

    steps: int = 12
    seed: int = 10**9

    @abstractmethod
    def node(self) -> Node:
        """Build the node from its settings; a new one for each call, not open."""
        raise NotImplementedError

    def world(self) -> World:
        """Build the world that the node lives in; only for nodes whose `open` takes one."""
        raise SkipTest("the node lives in a world: define world()")

    def inputs(self, ports: Ports, count: int, rng: np.random.Generator) -> dict[str, Any]:
        """Draw the arguments of a step: a message for each input, and none for an optional one now and then.

        Args:
            ports: ports of the node.
            count: number of the step, from 0.
            rng: random numbers of the messages.
        """
        now = Time(count * PERIOD)
        arguments = {name: _argument(port, count, now, rng) for name, port in ports.inputs.items()}
        return arguments if ports.now is None else {**arguments, ports.now: now}

    def test_its_settings_survive_as_plain_data(self) -> None:
        """Convert the settings to JSON and back; node and ports are the same."""
        node = self.node()
        described = describe(node)
        robots = {value.name: value for value in vars(node).values() if isinstance(value, Robot)}
        types = field_types(type(node))
        stated = json.loads(dumps(described["with"]))
        again = type(node)(**{name: convert(types[name], value, Context(robots)) for name, value in stated.items()})
        assert describe(again) == described
        assert again.ports() == node.ports()

    def test_its_ports_are_the_same_whenever_they_are_read(self) -> None:
        """Read the ports twice and of two nodes; settings alone decide them."""
        node = self.node()
        ports = node.ports()
        assert node.ports() == ports
        assert self.node().ports() == ports
        for output in ports.outputs.values():
            # A port whose constraints do not fit its message has no encoder.
            encoder(output.message, output.name, output.refined)

    def test_the_same_inputs_give_the_same_outputs(self) -> None:
        """Run the node twice on equal inputs; every bit of its outputs is equal."""
        first, second = ([comparable(outputs) for _, _, outputs in self._run()] for _ in range(2))
        assert first == second

    def test_a_step_changes_none_of_its_inputs(self) -> None:
        """Compare the inputs of each step before and after it."""
        for before, inputs, _ in self._run():
            assert comparable(inputs) == before

    def test_its_outputs_hold_what_its_ports_declare(self) -> None:
        """Check each output against type, shape, dtype and frame of its port."""
        ports = self.node().ports()
        for _, _, outputs in self._run():
            for name, output in ports.outputs.items():
                if outputs[name] is None:
                    assert output.optional or output.rendered, f"'{name}' is never None, by its type"
                else:
                    encoder(output.message, name, output.refined)(outputs[name])

    def _run(self) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
        """Open the node as a runner does and step it.

        Yields:
            for each step its inputs in comparable form before it, its inputs after it, and its outputs.
        """
        node: Any = self.node()
        if isinstance(node, VirtualDevice) or (isinstance(node, Driver) and not opens_world(node)):
            raise SkipTest("it needs a device; DriverContract holds it to its rules")
        ports, rng = node.ports(), generator(self.seed, "inputs")
        node.rng = generator(self.seed, "node")
        node.listened, node.wired = frozenset(ports.outputs), frozenset(ports.inputs)
        world = self.world() if opens_world(node) else None
        try:
            if world is not None:
                world.reset(self.seed)
                node.open(world)
            elif hasattr(node, "open"):
                node.open()
            for count in range(self.steps):
                if world is not None:
                    world.advance(Time(count * PERIOD))
                inputs = self.inputs(ports, count, rng)
                before = comparable(inputs)
                result = node.step(**inputs)
                single = ports.bundle is None
                yield before, inputs, {name: result if single else getattr(result, name) for name in ports.outputs}
        except MissingExtra as error:
            raise SkipTest(str(error)) from error
        finally:
            if hasattr(node, "close"):
                node.close()
            if world is not None:
                world.close()


def _argument(port: Input, count: int, now: Time, rng: np.random.Generator) -> Any:
    message: Any = sample(port.message, rng, now, port.refined)
    if port.stamped:
        message = Stamped(message, now, count, "source.port")
    if port.delivery == "every":
        return [message]
    return None if port.delivery == "optional" and count % 4 == 3 else message
