"""Determinism: two runs of one seed publish the same bytes, another seed others. `python examples/same_bytes.py`."""

from pathlib import Path

from embodied import SECOND, Lockstep, Time
from embodied.launch import load

LAUNCH = Path(__file__).parents[1] / "launch" / "pick_place.yaml"


def digest(seed: int) -> str:
    """Return the digest of two seconds of pick and place, camera and detector included."""
    with Lockstep(load(LAUNCH).graph("sim").check(), seed=seed) as run:
        run.advance(Time(2 * SECOND))
        return run.report().digest


first, again, other = digest(1), digest(1), digest(2)
print(f"seed 1  {first}")
print(f"seed 1  {again}")
print(f"seed 2  {other}")
assert first == again != other
