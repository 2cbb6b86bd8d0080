"""Unmodified MAVSDK does with the virtual autopilot what its examples do; `make clients` has all flights."""

from __future__ import annotations

import pytest

from tests.drivers.mavlink.clients.listing import FLIGHTS, GROUND
from tests.drivers.mavlink.clients.serve import run

pytest.importorskip("mavsdk", reason="MAVSDK is not installed", exc_type=ImportError)


def test_the_list_has_all_scripts() -> None:
    from tests.drivers.mavlink.clients import flights, ground

    assert tuple(script.__name__ for script in ground.SCRIPTS) == GROUND
    assert tuple(script.__name__ for script in flights.SCRIPTS) == FLIGHTS
    assert len(GROUND) + len(FLIGHTS) == 35


def test_on_the_ground_every_script_is_done() -> None:
    output = run(GROUND)
    assert [line.removeprefix("done ") for line in output.splitlines() if line.startswith("done ")] == [*GROUND], output


@pytest.mark.parametrize("name", ["takeoff_and_land"])
def test_a_script_flies_it(name: str) -> None:
    output = run([name])
    assert f"done {name}" in output, output
