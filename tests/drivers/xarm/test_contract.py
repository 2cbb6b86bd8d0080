from __future__ import annotations

from collections.abc import Callable

import pytest

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from tests.drivers.xarm.bench import XArm7Bench, XArmBench


class TestXArm(DriverContract):
    def bench(self) -> Bench:
        return XArmBench()


class SevenJoints(DriverContract):
    def bench(self) -> Bench:
        return XArm7Bench()


# The rest of the contract does not depend on the number of joints: connection, stops, loss and silence.
OF_JOINTS = [
    DriverContract.test_it_reports_its_model_and_whether_it_is_virtual,
    DriverContract.test_the_wrong_device_is_not_armed_and_receives_nothing,
    DriverContract.test_it_stands_still_without_a_command,
    DriverContract.test_the_applied_command_is_the_one_that_the_device_received,
    DriverContract.test_commands_that_are_not_finite_or_beyond_the_limits_never_reach_the_device,
]


@pytest.mark.parametrize("truth", OF_JOINTS, ids=lambda truth: truth.__name__.removeprefix("test_"))
def test_with_seven_joints_what_depends_on_their_number_holds_as_well(truth: Callable[[DriverContract], None]) -> None:
    truth(SevenJoints())
