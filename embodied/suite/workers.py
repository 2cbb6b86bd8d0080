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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from embodied.errors import LaunchError, raised_at
from embodied.import_path import Search, current, restore
from embodied.launch import Launch
from embodied.live.reaper_process import end_marked
from embodied.runtime.failures import OURS
from embodied.suite.seed_output import SeedOutput, captured, tail
from embodied.suite.seed_run import INFRASTRUCTURE, Job, Result, Scenario, read_launch, run_seed

VARIABLE = "EMBODIED_SUITE"
"""Variable in the environment of whatever a suite starts."""

Task = tuple[Job, int]


def run_suite(
    jobs: Sequence[Job],
    seeds: Sequence[int],
    processes: int,
    done: Callable[[Result], None],
    *,
    timeout: float | None = None,
    reruns: int = 0,
    skip: frozenset[tuple[str, int]] = frozenset(),
) -> list[Result]:
    """Run all seeds of all jobs of a suite in worker processes.

    Args:
        jobs: scenarios and their settings.
        seeds: seeds of each job; runs are independent, so order and number of processes change no result.
        processes: number of worker processes.
        done: called with each result as it comes.
        timeout: wall time after which a seed's process is killed [s].
        reruns: number of further attempts after an infrastructure error; never after a failure.
        skip: pairs of scenario and seed that are not run.

    Returns:
        results in the order of the jobs and seeds.

    Raises:
        LaunchError: a launch file is wrong.
    """
    tasks = [(job, seed) for job in jobs for seed in seeds if (job.scenario.name, seed) not in skip]
    results: dict[tuple[str, int], Result] = {}
    attempts: dict[tuple[str, int], tuple[str, ...]] = {}
    waiting = deque(tasks)
    for task, result in _work(waiting, min(processes, len(tasks)), timeout):
        key = (result.scenario, result.seed)
        earlier = attempts.get(key, ())
        if result.status == INFRASTRUCTURE and len(earlier) < reruns:
            attempts[key] = (*earlier, result.note)
            waiting.append(task)
            continue
        results[key] = replace(result, reruns=earlier)
        done(results[key])
    return [results[job.scenario.name, seed] for job, seed in tasks]


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    task: Task | None = None
    begin: float = 0.0

    def submit(self, task: Task) -> None:
        self.task, self.begin = task, time.monotonic()
        self.pipe.send(task)


def _work(waiting: deque[Task], count: int, timeout: float | None) -> Iterator[tuple[Task, Result]]:
    """Yield results as they come; the caller may append to the waiting tasks."""
    mark = os.urandom(8).hex()
    workers = [_start(mark) for _ in range(count)]
    try:
        while waiting or any(worker.task for worker in workers):
            for index, worker in enumerate(workers):
                if worker.task is None and waiting:
                    try:
                        worker.submit(waiting[0])
                    except OSError:
                        # The worker died while idle, or was killed after a timeout.
                        worker.pipe.close()
                        workers[index] = worker = _start(mark)
                        worker.submit(waiting[0])
                    waiting.popleft()
            busy = [worker for worker in workers if worker.task is not None]
            left = None if timeout is None else min(w.begin for w in busy) + timeout - time.monotonic()
            ready = wait([w.pipe for w in busy], None if left is None else max(0.0, left))
            for worker in busy:
                late = timeout is not None and time.monotonic() - worker.begin > timeout
                if worker.pipe in ready or late:
                    task = worker.task
                    assert task is not None
                    result = _receive(worker) if worker.pipe in ready else _kill(worker, timeout or 0.0)
                    worker.task = None
                    yield task, result
    finally:
        for worker in workers:
            worker.pipe.close()
            if worker.task is not None:
                worker.process.kill()
        for worker in workers:
            worker.process.join()
        # What nodes started and left behind; it inherited the mark, wherever it has gone.
        end_marked(f"{VARIABLE}={mark}")


_SAFE_PATH = "PYTHONSAFEPATH"
"""Variable with which Python does not search the current folder before its own library."""


def _start(mark: str) -> _Worker:
    """Start a worker, with a mark in its environment that whatever its nodes start inherits."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    arguments = (theirs, current(), os.environ.get(_SAFE_PATH))
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=arguments, daemon=True)
    with _environment(_SAFE_PATH, "1"):
        # Python starts it with the first process, and it lives as long as this one: it must not inherit the mark.
        resource_tracker.ensure_running()
        with _environment(VARIABLE, mark):
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


def _receive(worker: _Worker) -> Result:
    assert worker.task is not None
    try:
        answer: Result | BaseException = worker.pipe.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join()
        code = worker.process.exitcode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return _lost(worker, f"its process {how}")
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _kill(worker: _Worker, timeout: float) -> Result:
    worker.process.kill()
    worker.process.join()
    return _lost(worker, f"not over within {timeout:g} s of wall time, so it was ended (--timeout)")


def _lost(worker: _Worker, note: str) -> Result:
    assert worker.task is not None
    job, seed = worker.task
    wall = time.monotonic() - worker.begin
    return _with_output(Result(job.scenario.name, seed, INFRASTRUCTURE, note=note, wall=wall), job)


def _serve(pipe: Connection, search: Search, safe_path: str | None) -> None:
    """Run seeds one at a time until the parent closes the pipe: main function of a worker."""
    # Programs that a node starts search what they would without embodied.
    _set_variable(_SAFE_PATH, safe_path)
    restore(search)
    # Ctrl-C reaches the whole process group; only the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(os.environ[VARIABLE],), daemon=True).start()
    launches: dict[Scenario, Launch] = {}
    while True:
        try:
            job, seed = pipe.recv()
        except (EOFError, OSError):
            return
        answer: Result | LaunchError
        try:
            with captured(job.log(seed)) as output:
                if job.scenario not in launches:
                    launches[job.scenario] = read_launch(job.scenario)
                begin = time.monotonic()
                answer = _run(job, seed, launches[job.scenario], () if output is None else (output,))
                answer = replace(answer, wall=time.monotonic() - begin)
            answer = _with_output(answer, job)
        except LaunchError as error:
            answer = error
        try:
            pipe.send(answer)
        except OSError:
            return


def _run(job: Job, seed: int, launch: Launch, watchers: Sequence[SeedOutput]) -> Result:
    """Run a seed; Ctrl-C is its parent's alone, so that a KeyboardInterrupt here is raised by a node."""
    try:
        return run_seed(job, seed, launch, watchers)
    except KeyboardInterrupt as error:
        where = raised_at(error, OURS)
        return Result(job.scenario.name, seed, "error", note=f"a node raised KeyboardInterrupt\n  --> {where}")


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
