"""Worker processes that run seeds, so that a crash or a hang costs one seed only.

Processes are spawned, not forked: a worker starts from a clean interpreter, as a single run does. A worker ends with
its parent process, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from embodied.errors import LaunchError
from embodied.imports.search_path import Search, current, restore
from embodied.launch import Launch
from embodied.live.reaper_process import end_marked
from embodied.suite.pictures import FILM_TIMEOUT, References, film, wanted, without_pictures
from embodied.suite.repeats import HASH_SEED, compared, hash_seed
from embodied.suite.seed_output import captured, silenced, tail
from embodied.suite.seed_run import INFRASTRUCTURE, Attempt, Job, Result, Scenario, read_launch, run_seed

START_MOST = 60.0
"""Longest time that a worker takes to start and to take its task [s]."""

VARIABLE = "EMBODIED_SUITE"
"""Variable in the environment of whatever a suite starts."""


@dataclass(frozen=True, slots=True)
class Task:
    """Task of a worker: to run a seed, or to make the pictures of one.

    Attributes:
        job: scenario and its settings.
        seed: seed of the run.
        repetition: number of the run, from 0; each has a process with another hash seed.
        verdict: result whose pictures are made; None runs the seed.
        beside: seed that passed, with which the pictures' timeline is compared.
    """

    job: Job
    seed: int
    repetition: int = 0
    verdict: Result | None = None
    beside: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Name of the scenario, and the seed."""
        return self.job.scenario.name, self.seed


def run_suite(
    jobs: Sequence[Job],
    seeds: Sequence[int],
    processes: int,
    done: Callable[[Result], None],
    *,
    timeout: float | None = None,
    reruns: int = 0,
    skip: frozenset[tuple[str, int]] = frozenset(),
    filmed: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Run all seeds of all jobs of a suite in worker processes, then make the pictures of those that did not pass.

    Args:
        jobs: scenarios and their settings.
        seeds: seeds of each job; runs are independent, so order and number of processes change no result.
        processes: number of processes that work at a time.
        done: called with each result as it comes, before its pictures are made.
        timeout: wall time after which a seed's process is killed [s]; the making of pictures has a limit of its own.
        reruns: number of further attempts after an infrastructure error; never after a failure.
        skip: pairs of scenario and seed that are not run.
        filmed: called with a result again once it has its pictures.

    Returns:
        results in the order of the jobs and seeds.

    Raises:
        LaunchError: a launch file is wrong.
    """
    keys = [(job.scenario.name, seed) for job in jobs for seed in seeds if (job.scenario.name, seed) not in skip]
    waiting = deque(
        Task(job, seed, repetition)
        for job in jobs
        for seed in seeds
        if (job.scenario.name, seed) not in skip
        for repetition in range(job.repeat)
    )
    results: dict[tuple[str, int], Result] = {}
    attempts: dict[tuple[str, int], list[tuple[int, Attempt]]] = {}
    earlier: dict[tuple[str, int], tuple[str, ...]] = {}
    for task, attempt in _work(waiting, processes, timeout):
        key = task.key
        if task.verdict is not None:
            results[key] = replace(attempt.result, wall=task.verdict.wall + attempt.result.wall)
            if filmed is not None:
                filmed(results[key])
            continue
        if attempt.result.status == INFRASTRUCTURE and len(earlier.get(key, ())) < reruns:
            earlier[key] = (*earlier.get(key, ()), attempt.result.note)
            waiting.append(task)
            continue
        attempts.setdefault(key, []).append((task.repetition, attempt))
        if len(attempts[key]) < task.job.repeat:
            continue
        ordered = [other for _, other in sorted(attempts.pop(key), key=lambda entry: entry[0])]
        wall = sum(other.result.wall for other in ordered)
        results[key] = replace(compared(ordered), wall=wall, reruns=earlier.get(key, ()))
        done(results[key])
        if len(results) == len(keys):
            films = wanted(jobs, [results[key] for key in keys])
            waiting.extend(Task(job, result.seed, verdict=result, beside=beside) for job, result, beside in films)
    return [results[key] for key in keys]


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    task: Task | None = None
    begin: float = 0.0
    limit: float | None = None
    begun: bool = False

    def submit(self, task: Task, timeout: float | None) -> None:
        self.task, self.begin, self.begun = task, time.monotonic(), False
        self.limit = timeout if task.verdict is None else FILM_TIMEOUT
        self.pipe.send(task)

    def left(self) -> float | None:
        """Return the time that its task has left [s]; None where it has no limit."""
        if self.limit is None:
            return None
        # An interpreter that starts on a busy machine costs its first seed nothing.
        return self.begin + self.limit + (0.0 if self.begun else START_MOST) - time.monotonic()


def _work(waiting: deque[Task], most: int, timeout: float | None) -> Iterator[tuple[Task, Attempt]]:
    """Yield results as they come; the caller may append to the waiting tasks."""
    mark = os.urandom(8).hex()
    idle: dict[int, list[_Worker]] = {}
    busy: list[_Worker] = []
    leaving: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < most:
                task = waiting.popleft()
                ready = idle.setdefault(task.repetition, [])
                worker = ready.pop() if ready else _start(mark, task)
                try:
                    worker.submit(task, timeout)
                except OSError:
                    # It died while it was idle.
                    worker.pipe.close()
                    worker = _start(mark, task)
                    worker.submit(task, timeout)
                busy.append(worker)
            limits = [left for worker in busy if (left := worker.left()) is not None]
            answered = wait([worker.pipe for worker in busy], max(0.0, min(limits)) if limits else None)
            for worker in [*busy]:
                left = worker.left()
                if worker.pipe in answered or (left is not None and left < 0):
                    finished = worker.task
                    assert finished is not None
                    attempt = _receive(worker) if worker.pipe in answered else _kill(worker)
                    if attempt is None:
                        worker.begin, worker.begun = time.monotonic(), True
                        continue
                    worker.task = None
                    busy.remove(worker)
                    if worker.process.is_alive() and not finished.repetition:
                        idle.setdefault(finished.repetition, []).append(worker)
                    else:
                        # A repetition has a new process, so that it differs where a seed depends on those before it.
                        worker.pipe.close()
                        leaving.append(worker)
                    yield finished, attempt
    finally:
        everyone = [*busy, *leaving, *(worker for workers in idle.values() for worker in workers)]
        for worker in everyone:
            worker.pipe.close()
            if worker.task is not None:
                worker.process.kill()
        for worker in everyone:
            worker.process.join()
        # What nodes started and left behind; it inherited the mark, wherever it has gone.
        end_marked(f"{VARIABLE}={mark}")


_SAFE_PATH = "PYTHONSAFEPATH"
"""Variable with which Python does not search the current folder before its own library."""


def _start(mark: str, task: Task) -> _Worker:
    """Start a worker for a task, with a mark in its environment that whatever its nodes start inherits."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    before = {name: os.environ.get(name) for name in (_SAFE_PATH, HASH_SEED)}
    arguments = (theirs, current(), before)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=arguments, daemon=True)
    with _environment(_SAFE_PATH, "1"):
        # Python starts it with the first process, and it lives as long as this one: it must not inherit the mark.
        resource_tracker.ensure_running()
        order = hash_seed(task.repetition) if task.job.repeat > 1 else before[HASH_SEED]
        with _environment(VARIABLE, mark), _environment(HASH_SEED, order):
            process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _environment(name: str, value: str | None) -> Iterator[None]:
    """Set a variable of the environment, or take it away, while a process is started."""
    before = os.environ.get(name)
    _set_variable(name, value)
    try:
        yield
    finally:
        _set_variable(name, before)


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _receive(worker: _Worker) -> Attempt | None:
    """Receive an answer of a worker; None says that it has begun with its task."""
    assert worker.task is not None
    try:
        answer: Attempt | BaseException | None = worker.pipe.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join()
        code = worker.process.exitcode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return _lost(worker, f"its process {how}")
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _kill(worker: _Worker) -> Attempt:
    worker.process.kill()
    worker.process.join()
    limit = worker.limit or 0.0
    option = "" if worker.task is not None and worker.task.verdict is not None else " (--timeout)"
    return _lost(worker, f"not over within {limit:g} s of wall time, so it was ended{option}")


def _lost(worker: _Worker, note: str) -> Attempt:
    task = worker.task
    assert task is not None
    wall = time.monotonic() - worker.begin
    if task.verdict is not None:
        return Attempt(replace(without_pictures(task.verdict, note), wall=wall))
    result = Result(task.job.scenario.name, task.seed, INFRASTRUCTURE, note=note, wall=wall)
    return Attempt(_with_output(result, task.job))


def _serve(pipe: Connection, search: Search, variables: Mapping[str, str | None]) -> None:
    """Run seeds one at a time until the parent closes the pipe: main function of a worker."""
    # Programs that a node starts search, and hash, as they would without embodied.
    for name, value in variables.items():
        _set_variable(name, value)
    restore(search)
    # Ctrl-C reaches the whole process group; only the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(os.environ[VARIABLE],), daemon=True).start()
    launches: dict[Scenario, Launch] = {}
    references: References = {}
    while True:
        try:
            task: Task = pipe.recv()
            pipe.send(None)
        except (EOFError, OSError):
            return
        answer: Attempt | LaunchError
        try:
            answer = _answer(task, launches, references)
        except LaunchError as error:
            answer = error
        try:
            pipe.send(answer)
        except OSError:
            return


def _answer(task: Task, launches: dict[Scenario, Launch], references: References) -> Attempt:
    job = task.job
    first = task.repetition == 0 and task.verdict is None
    with captured(job.log(task.seed)) if first else silenced(job.logs) as output:
        if job.scenario not in launches:
            launches[job.scenario] = read_launch(job.scenario)
        begin = time.monotonic()
        if task.verdict is not None:
            attempt = Attempt(film(job, task.verdict, launches[job.scenario], task.beside, references))
        else:
            attempt = run_seed(job, task.seed, launches[job.scenario], () if output is None else (output,))
        result = replace(attempt.result, wall=time.monotonic() - begin)
    return replace(attempt, result=_with_output(result, job) if first else result)


def _with_output(result: Result, job: Job) -> Result:
    """Attach the end of what the nodes printed, and the file with all of it."""
    log = job.log(result.seed)
    if log is None or job.logs is None or not log.is_file():
        return result
    files = {**result.files, "logs": str(log.relative_to(job.logs.parent))}
    return replace(result, files=files, output=tail(log))


def _end_with_parent(mark: str) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        end_marked(f"{VARIABLE}={mark}")
        os._exit(1)
