"""Pictures of seeds that did not pass: another run of the same bytes, with a video, a filmstrip and a timeline.

A seed's verdict stands before its pictures are made, which have a limit of their own and can take nothing from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embodied.errors import FOREIGN, LaunchError, error_text
from embodied.launch import Launch
from embodied.recording import filmstrip, video
from embodied.recording.timeline import Timeline
from embodied.recording.video import Video
from embodied.runtime.episode import Watcher, play
from embodied.suite.seed_run import Job, Result, read_launch

FILMED_MOST = 5
"""Number of a suite's seeds that did not pass of which pictures are made; all of them with `--video all`."""

FILM_TIMEOUT = 120.0
"""Wall time after which the making of a seed's pictures is ended [s]."""


def wanted(jobs: Sequence[Job], results: Sequence[Result]) -> list[tuple[Job, Result]]:
    """Choose the seeds of which pictures are made, in the order of the results.

    Args:
        jobs: scenarios and what is filmed of each.
        results: of all their seeds.
    """
    by_name = {job.scenario.name: job for job in jobs}
    pairs = [(by_name[result.scenario], result) for result in results]
    judged = [(job, result) for job, result in pairs if job.folder is not None and not job.scenario.live]
    everything = [
        (job, result) for job, result in judged if job.films == "all" and result.status in ("passed", "failed")
    ]
    failed = [(job, result) for job, result in judged if job.films == "failures" and result.status == "failed"]
    return [*everything, *failed[:FILMED_MOST]]


def without_pictures(result: Result, why: str) -> Result:
    """Return a result with the reason why it has no pictures."""
    return replace(result, note=f"{result.reason} (no pictures: {why})")


def film(job: Job, result: Result, launch: Launch | None = None) -> Result:
    """Run a seed again with recorders, which do not change the run, and attach their files to its result.

    Args:
        job: scenario, with the folder of the pictures.
        result: verdict on the seed.
        launch: the scenario's launch file, if it is loaded already.
    """
    scenario, folder = job.scenario, job.folder
    assert folder is not None
    stem = f"{scenario.name}/seed-{result.seed}"
    strip, timeline, files = filmstrip.Film(shadows=False), Timeline(), {}
    try:
        graph = (launch or read_launch(scenario)).graph(scenario.profile)
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
    except (LaunchError, *FOREIGN) as error:
        # Full disk, broken encoder, world without an observer camera: the verdict holds all the same.
        return without_pictures(result, error_text(error))
    return replace(result, files={**result.files, **files}, timeline=timeline.as_dict())
