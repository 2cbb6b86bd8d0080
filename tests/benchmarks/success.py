"""How often the task is done, over seeds that nothing was trained or tuned on."""

from __future__ import annotations

import os
import time
from pathlib import Path

from embodied.launch import Overrides
from embodied.suite import Job, Scenario, run_suite, wilson
from embodied.suite.summary import Tally
from tests.benchmarks.table import show

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"
CLONED = "policy=policies.tasks.cloned:ClonedPickPlace"

CASES = {
    "true poses, Panda": ("truth", Overrides()),
    "ONNX detector, Panda": ("sim", Overrides()),
    "ONNX detector, xArm6": ("sim", Overrides(sets=("robot=xarm6",))),
    "true poses, SO-101": ("truth", Overrides(sets=("robot=so101",))),
    "ONNX detector, SO-101": ("sim", Overrides(sets=("robot=so101",))),
    "ONNX detector, cloned policy, Panda": ("sim", Overrides(swaps=(CLONED,))),
}


def main(small: bool = False) -> None:
    """Print the table.

    Args:
        small: one seed of the first case, to see that it works.
    """
    seeds = range(1000, 1001 if small else 1100)
    cases = dict(list(CASES.items())[:1]) if small else CASES
    jobs = len(os.sched_getaffinity(0))
    rows = [
        [
            f"pick and place, seeds {seeds.start}:{seeds.stop}",
            "passed",
            "95 % interval",
            "simulated",
            f"wall, {jobs} processes",
        ]
    ]
    for name, (profile, overrides) in cases.items():
        begin = time.perf_counter()
        results = run_suite([Job(Scenario("pick_place", PICK, profile, overrides))], seeds, jobs, lambda _: None)
        wall = time.perf_counter() - begin
        passed = sum(result.status == "passed" for result in results)
        low, high = wilson(passed, len(results))
        simulated = Tally(results).simulated
        rows.append(
            [name, f"{passed} of {len(results)}", f"{low:.1%} to {high:.1%}", f"{simulated:.0f} s", f"{wall:.0f} s"]
        )
    show("Success", rows)
