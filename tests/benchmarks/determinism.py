"""Same seed, same digest: in two processes, with nodes listed in another order, with one job and with two."""

from __future__ import annotations

from pathlib import Path

from embodied import SECOND, Time
from embodied.launch import Overrides, load
from embodied.runtime.episode import play
from embodied.suite import Job, Result, Scenario, run_suite
from tests.benchmarks.table import show

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"


def main(small: bool = False) -> None:
    """Print the table.

    Args:
        small: a second of one arm and one seed on true poses, to see that it works.
    """
    seeds = range(1 if small else 20)
    profile, limit = ("truth", Time(SECOND)) if small else ("sim", None)
    seen = "on true poses" if small else "camera and detector on"
    rows = [[f"{len(seeds)} seeds, {seen}", "same digest"]]
    for robot in ("panda",) if small else ("panda", "xarm6", "so101"):
        overrides = Overrides(sets=(f"robot={robot}",))
        work = [Job(Scenario("pick_place", PICK, profile, overrides, limit))]
        here = _digests(run_suite(work, seeds, 1, _ignore))
        listed = {}
        for seed in seeds:
            graph = load(PICK, overrides).graph(profile)
            graph.entries = dict(reversed(list(graph.entries.items())))
            listed[seed] = play(graph, seed, limit=limit).digest
        ways = {
            "two processes": _digests(run_suite(work, seeds, 2, _ignore)),
            "two processes again": _digests(run_suite(work, list(reversed(seeds)), 2, _ignore)),
            "nodes listed backwards": listed,
        }
        for way, digests in ways.items():
            same = sum(digests[seed] == here[seed] for seed in seeds)
            rows.append([f"{robot}: one process against {way}", f"{same} of {len(seeds)}"])
    show("Determinism", rows)


def _digests(results: list[Result]) -> dict[int, str]:
    return {result.seed: result.digest or result.note for result in results}


def _ignore(_: Result) -> None: ...
