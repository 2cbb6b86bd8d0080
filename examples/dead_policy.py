"""Safety: the policy is killed while the arm moves, and the guard holds. `python examples/dead_policy.py`."""

from pathlib import Path

from embodied import SECOND, Lockstep, Stamped, Time
from embodied.launch import load
from embodied.messages import GuardReport

LAUNCH = Path(__file__).parents[1] / "launch" / "pick_place.yaml"
DEATH = Time(3 * SECOND // 2)

plan = load(LAUNCH).graph("truth").check()
print("proven:", next(str(r) for r in plan.reactions if r.node == "policy"))

holding: list[Time] = []


def note(report: Stamped[GuardReport]) -> None:
    """Remember when the guard began to hold after the death."""
    if report.stamp > DEATH and report.value.state == "holding":
        holding.append(report.stamp)


run = Lockstep(plan, seed=3)
run.observe("guard.report", note)
with run:
    run.advance(DEATH)
    run.fault("kill", "policy")
    run.advance(Time(DEATH + SECOND))
print(f"measured: the arm holds {(holding[0] - DEATH) / 1e6:.0f} ms after the policy was killed")
