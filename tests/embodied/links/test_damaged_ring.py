"""Law 3 on shared memory: what a publisher with damaged memory posts never leaves a reader, and ends none."""

from __future__ import annotations

import os

import numpy as np
import pytest

from embodied import Time
from embodied.links.channel import Inlet, Outlet
from embodied.links.subscription import MASK, Ends, Window
from embodied.messages import GripperState, JointState
from tests.embodied.links.test_ring import bundle


@pytest.mark.parametrize("outputs", [1, 2])
def test_what_a_publisher_with_damaged_memory_posts_is_passed_over_and_the_next_arrives(outputs: int) -> None:
    layouts = bundle()[:outputs]
    state = JointState(position=np.arange(3.0), velocity=np.zeros(3), acquired=Time(1))
    messages = [state, GripperState(width=0.1, speed=0.0, force=0.0, acquired=Time(1))]
    outlet = Outlet("node", layouts, lambda size: [Window.of(size)])
    ends = Ends.make("test")
    post = outlet.subscribe(ends)
    seen: list[int] = []
    inlet = Inlet(layouts, [0], outlet.open_size, outlet.ring.descriptor, Ends(*map(os.dup, ends.all())))
    receive = inlet.handler(lambda _, message, stamp, sequence: seen.append(sequence))
    outlet.publish(1, 0, messages[:outputs])
    outlet.ring.memory[:] = b"\x7f" * len(outlet.ring.memory)
    receive()
    outlet.publish(2, 0, messages[:outputs])
    post.box[1 & MASK] = 2**32 - 1
    receive()
    assert (seen, inlet.reader.skipped) == ([], 2)
    # Who subscribes after that gets what is right.
    outlet.publish(3, 0, messages[:outputs])
    again = Ends.make("test")
    outlet.subscribe(again)
    inlet = Inlet(layouts, [0], outlet.open_size, outlet.ring.descriptor, Ends(*map(os.dup, again.all())))
    inlet.handler(lambda _, message, stamp, sequence: seen.append(sequence))()
    assert seen == [3]
