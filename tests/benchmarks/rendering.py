"""The renderers of simulated cameras: what a picture costs, whether they agree, and what a camera costs a run.

`python -m tests.benchmarks.rendering docs/renderers.png` draws the same five scenes by each of them.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied import SECOND, Time
from embodied.errors import EmbodiedError
from embodied.launch import Overrides, load
from embodied.node.node import generator
from embodied.recording import filmstrip
from embodied.runtime.episode import play
from embodied.runtime.lockstep import Lockstep
from embodied.suite import Job, Scenario, run_suite
from embodied.world import Rendering
from sims.rendering import VERSIONS, choose
from sims.tabletop.world import Tabletop
from tests.benchmarks.table import median, seconds, show

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"
SIZES: tuple[tuple[int, int], ...] = ((64, 48), (160, 120), (320, 240), (640, 480), (1280, 720))
WRIST = (0, 0)
ORACLE = "tiny"
CAMERA = Overrides(sets=("camera.rate=30",))


def main(small: bool = False) -> None:
    """Print the tables.

    Args:
        small: one moment, two scenes and one seed, to see that it works.
    """
    names = [name for name in VERSIONS if works(name)]
    costs(names, SIZES[:2] if small else SIZES, 1 if small else 8)
    for name in names:
        if name != ORACLE:
            agreement(name, 2 if small else 200)
    runs(1 if small else 40, Time(SECOND) if small else None)


def works(name: str) -> bool:
    """Whether a renderer can be used here; says why when not."""
    try:
        print(f"renderer {name} {choose(name)[1]}")
    except EmbodiedError as error:
        print(f"renderer {name}: {error}")
        return False
    return True


def costs(names: list[str], sizes: tuple[tuple[int, int], ...], moments: int) -> None:
    """Print the milliseconds a picture from above takes, over one whole pick and place, each renderer in turn.

    Args:
        names: renderers that work here.
        sizes: width and height of the pictures [px].
        moments: number of moments, half a second apart.
    """
    taken: dict[tuple[str, tuple[int, int], bool], list[float]] = {}
    graph = load(PICK).graph("truth")
    world = graph.world
    assert isinstance(world, Tabletop)
    with Lockstep(graph.check(), seed=0) as run:
        cameras = {(n, s): world.camera("overhead", width=s[0], height=s[1], renderer=n) for n in names for s in sizes}
        cameras |= {(name, WRIST): world.camera("wrist", renderer=name) for name in names}
        for camera in cameras.values():
            camera.render()
        for moment in range(moments):
            run.advance(Time(moment * SECOND // 2))
            for (name, size), camera in cameras.items():
                camera.render()
                for everything in (False, True):
                    cost = seconds(partial(camera.render, depth=everything, segmentation=everything))
                    taken.setdefault((name, size, everything), []).append(cost)
    rows = [["camera from above", *(f"{name}, {what}" for name in names for what in ("RGB", "all")), "all: faster by"]]
    for size in (*sizes, WRIST):
        cells = [f"{1e3 * median(taken[name, size, what]):.2f} ms" for name in names for what in (False, True)]
        factor = median([a / b for a, b in zip(taken[ORACLE, size, True], taken[names[0], size, True], strict=True)])
        rows.append([f"{size[0]}x{size[1]}" if size != WRIST else "320x240 at the wrist", *cells, f"{factor:.1f}x"])
    show(f"A picture, one pick and place in {moments} moments (RGB; RGB, depth and segmentation; medians)", rows)


def compare(path: Path) -> None:
    """Write a picture of five scenes by each renderer that works here, one row each.

    Args:
        path: of the PNG file.
    """
    names = [name for name in VERSIONS if works(name)]
    rows: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in names}
    for robot, views in (("panda", ("overhead", "overview", "wrist")), ("xarm6", ("overhead", "wrist"))):
        world = load(PICK, Overrides(sets=(f"robot={robot}",))).graph("truth").world
        assert isinstance(world, Tabletop)
        for number, view in enumerate(views):
            world.reset(number)
            bend = generator(number, "bend").uniform(0.2, 0.6, len(world.robot.joints))
            world.arm().place(world.robot.limit("home") + bend * (view == "overhead"), 0.06)
            for name in names:
                seen = world.camera(view, renderer=name).render().rgb
                assert seen is not None
                cv2.putText(seen, f"{name}, {view}", (6, 16), 0, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
                rows[name].append(seen)
        world.close()
    filmstrip.save(np.vstack([np.hstack(row) for row in rows.values()]), path)


def agreement(name: str, scenes: int) -> None:
    """Print how far a renderer agrees with the oracle on random scenes with the arm anywhere.

    Args:
        name: of the renderer.
        scenes: how many, half of them with each arm.
    """
    overlaps: list[float] = []
    near: list[float] = []
    for robot in ("panda", "xarm6"):
        world = load(PICK, Overrides(sets=(f"robot={robot}",))).graph("sim").world
        assert isinstance(world, Tabletop)
        for seed in range(scenes // 2):
            world.reset(seed)
            rng = generator(seed, "anywhere")
            home = world.robot.limit("home")
            world.arm().place(home + rng.uniform(-0.5, 0.5, len(home)), float(rng.uniform(0.0, world.robot.opening)))
            mine, theirs = (
                world.camera("overhead", renderer=each).render(rgb=False, depth=True, segmentation=True)
                for each in (name, ORACLE)
            )
            overlaps += intersections(mine, theirs)
            inside = interior(mine) & interior(theirs)
            assert mine.depth is not None
            assert theirs.depth is not None
            near.append(float((np.abs(mine.depth - theirs.depth)[inside] < 0.003).mean()))
        world.close()
    rows = [[f"{name} beside {ORACLE}", f"{scenes} random scenes, both arms, 320x240"]]
    good = np.mean(np.array(overlaps) >= 0.98)
    rows.append(["overlap of each object over 100 px", f"least {min(overlaps):.4f}; {good:.2%} of them at least 0.98"])
    rows.append(["depth within 3 mm, away from edges", f"{np.mean(near):.3%} of pixels, worst scene {min(near):.3%}"])
    show("Agreement", rows)


def intersections(mine: Rendering, theirs: Rendering) -> list[float]:
    """Intersection over union of each body that covers more than 100 pixels."""
    assert mine.segmentation is not None
    assert theirs.segmentation is not None
    found = []
    for body, count in zip(*np.unique(theirs.segmentation, return_counts=True), strict=True):
        if count > 100:
            one, other = mine.segmentation == body, theirs.segmentation == body
            found.append(float((one & other).sum() / (one | other).sum()))
    return found


def interior(seen: Rendering) -> NDArray[np.bool_]:
    """Pixels whose neighbours are of the same body, and whose depth goes on evenly: away from every edge."""
    assert seen.segmentation is not None
    assert seen.depth is not None
    kept = np.zeros(seen.segmentation.shape, np.bool_)
    kept[1:-1, 1:-1] = True
    for axis in (0, 1):
        for step in (-1, 1):
            kept &= np.roll(seen.segmentation, step, axis) == seen.segmentation
            kept &= np.abs(np.roll(seen.depth, step, axis) - seen.depth) < 0.02
    return kept


def runs(episodes: int, limit: Time | None = None) -> None:
    """Print how fast runs are with a camera of 30 Hz whose colours and depth are taken.

    Args:
        episodes: number of seeds for each.
        limit: virtual time at which each run stops [ns]; None: at its verdict.
    """
    # The first run is slower, by its imports, and counts only where it is the only one.
    graphs = (load(PICK, CAMERA).graph("sim") for _ in range(min(8, episodes)))
    factors = [play(graph, seed, limit=limit).factor for seed, graph in enumerate(graphs)][-7:]
    jobs = min(episodes, len(os.sched_getaffinity(0)))
    begin = time.perf_counter()
    scenario = Scenario("pick_place", PICK, "sim", CAMERA, limit)
    results = run_suite([Job(scenario)], range(100, 100 + episodes), jobs, lambda _: None)
    minutes = (time.perf_counter() - begin) / 60
    rows = [["pick and place, 320x240 RGB-D camera at 30 Hz", ""]]
    rows.append(["one process", f"{median(factors):.1f}x real time"])
    rows.append([f"{jobs} processes", f"{len(results) / minutes:.0f} episodes a minute"])
    show("Runs with a camera", rows)


if __name__ == "__main__":
    compare(Path(sys.argv[1]))
