"""Pictures of seeds that did not pass: another run of the same bytes, with a video, a filmstrip and a timeline.

The timeline is compared with that of a seed that passed, which is run again for it.

A seed's verdict stands before its pictures are made, which have a limit of their own and can take nothing from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from embodied.errors import error_text
from embodied.interrupts import foreign
from embodied.launch import Launch
from embodied.recording import filmstrip, video
from embodied.recording.divergence import divergence
from embodied.recording.timeline import Timeline
from embodied.recording.video import Video
from embodied.runtime.episode import Watcher, play
from embodied.suite.seed_run import Job, Result, read_launch

FILMED_MOST = 5
"""Number of a suite's seeds that did not pass of which pictures are made; all of them with `--video all`."""

FILM_TIMEOUT = 120.0
"""Wall time after which the making of a seed's pictures is ended [s]."""


REFERENCE_MOST = FILM_TIMEOUT / 4
"""Longest wall time of a seed that passed and is run again, for its timeline to be compared with [s]."""

References = dict[str, Mapping[str, Any]]
"""Timelines of seeds that passed, by scenario."""


def wanted(jobs: Sequence[Job], results: Sequence[Result]) -> list[tuple[Job, Result, int | None]]:
    """Choose the seeds of which pictures are made, in the order of the results.

    Args:
        jobs: scenarios and what is filmed of each.
        results: of all their seeds.

    Returns:
        for each its job, its result, and a seed of the same scenario that passed, to compare it with.
    """
    by_name = {job.scenario.name: job for job in jobs}
    pairs = [(by_name[result.scenario], result) for result in results]
    judged = [(job, result) for job, result in pairs if job.folder is not None and not job.scenario.live]
    everything = [
        (job, result) for job, result in judged if job.films == "all" and result.status in ("passed", "failed")
    ]
    failed = [(job, result) for job, result in judged if job.films == "failures" and result.status == "failed"]
    passed: dict[str, int] = {}
    for result in results:
        if result.status == "passed" and result.wall <= REFERENCE_MOST:
            passed.setdefault(result.scenario, result.seed)
    chosen = [*everything, *failed[:FILMED_MOST]]
    return [(job, result, passed.get(result.scenario) if result.status == "failed" else None) for job, result in chosen]


def without_pictures(result: Result, why: str) -> Result:
    """Return a result with the reason why it has no pictures."""
    return replace(result, note=f"{result.reason} (no pictures: {why})")


def film(
    job: Job,
    result: Result,
    launch: Launch | None = None,
    beside: int | None = None,
    references: References | None = None,
) -> Result:
    """Run a seed again with recorders, which do not change the run, and attach their files to its result.

    Args:
        job: scenario, with the folder of the pictures.
        result: verdict on the seed.
        launch: the scenario's launch file, if it is loaded already.
        beside: seed that passed, to compare with.
        references: timelines of such seeds by scenario, which are kept for the next picture.
    """
    scenario, folder = job.scenario, job.folder
    assert folder is not None
    stem = f"{scenario.name}/seed-{result.seed}"
    strip, timeline, files = filmstrip.Film(shadows=False), Timeline(), {}
    try:
        launch = launch or read_launch(scenario)
        graph = launch.graph(scenario.profile)
        watchers: list[Watcher] = [strip, timeline]
        if graph.world is not None and video.available():
            with Video(folder / f"{stem}.mp4", strip) as filmed:
                play(graph, result.seed, limit=scenario.limit, watchers=[filmed, timeline])
            files["video"] = f"{stem}.mp4"
        else:
            play(graph, result.seed, limit=scenario.limit, watchers=watchers)
        if strip.trouble:
            return without_pictures(result, strip.trouble)
        sheet = strip.strip(f"seed {result.seed}: {result.reason}")
        if sheet is not None:
            filmstrip.save(sheet, folder / f"{stem}.png")
            files["filmstrip"] = f"{stem}.png"
        data = timeline.as_dict()
        if beside is not None:
            references = {} if references is None else references
            if scenario.name not in references:
                references[scenario.name] = _timeline_of(job, beside, launch)
            data["beside"] = {"seed": beside, "differences": divergence(data, references[scenario.name])}
    except foreign() as error:
        # Full disk, broken encoder, world without an observer camera: the verdict holds all the same.
        return without_pictures(result, error_text(error))
    return replace(result, files={**result.files, **files}, timeline=data)


def _timeline_of(job: Job, seed: int, launch: Launch) -> Mapping[str, Any]:
    timeline = Timeline()
    play(launch.graph(job.scenario.profile), seed, limit=job.scenario.limit, watchers=[timeline])
    return timeline.as_dict()
