"""Faults in the outputs of shipped models: the robot touches and crosses nothing, and nothing ends that need not.

    python -m tests.faults 1 model                 # all of them
    python -m tests.faults 1 "model lane"          # of one

The law: a number that is none never leaves a model. Its result is rejected and counted. After one frame the run goes on
to a good end; without any result from some frame on the arm and the vehicle stand, and the drone, which flies by its
estimator, stays inside its fence. The runs are those of the launch files, in virtual time, each
trial with another seed.

All that a rejected result leaves is that there is none. So the faults of one model share the run of a seed: each of its
broken calls is tried with every fault of every output, and a fault that is not rejected acts on that run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from embodied import SECOND, Time
from embodied.errors import EmbodiedError
from embodied.launch import Launch, Overrides, load
from embodied.runtime.lockstep import Lockstep
from tests.faults.tally import Tally
from tests.policies.faulty_models import LAUNCHES, OUTPUTS

LAUNCH = Path(__file__).parents[2] / "launch"

WAYS = {"nan": "NaN", "inf": "Inf", "shape": "wrong shape"}
"""Faults in an output, with their names in the table."""

NEVER = 1 << 30
"""Number of a call that no run reaches."""

STEP = SECOND // 5
"""Virtual time between two looks at a run [ns]."""

STANDS = 0.02
"""Speed up to which a joint or a vehicle stands [rad/s], [m/s]."""

OVERDUE = "after "
"""Beginning of the judges' sentences about a task that is not done in time, in which nothing was touched or crossed."""


@dataclass(frozen=True)
class Model:
    """Model of a launch file, as its faults are tried.

    Attributes:
        calls: number of its calls in a short run; one of these is the first that is broken.
        after: time for which a run goes on once the model is broken for ever [s].
        motion: topic and field whose numbers are 0 once the robot stands; None for one that flies on.
    """

    calls: int
    after: float
    motion: tuple[str, str] | None


MODELS = {
    "detector": Model(36, 4.0, ("arm.state", "velocity")),
    "markers": Model(140, 6.0, None),
    "lane": Model(300, 6.0, ("car.state", "speed")),
    "cloned": Model(10, 4.0, ("arm.state", "velocity")),
}
"""Shipped models, by the node that runs them."""


def faults() -> Iterator[tuple[str, str, Callable[[int, Tally], None]]]:
    """Yield name, promise and function of each fault of each output of each shipped model."""
    for model, output in OUTPUTS:
        still = "it flies on inside its fence" if MODELS[model].motion is None else "it stands"
        promises = {False: "rejected, counted, the task is done", True: f"rejected, counted; {still}; nothing ends"}
        for way, name in WAYS.items():
            for ever, promise in promises.items():
                how = "for ever" if ever else "one frame"
                yield f"model {model}: {name} in {output}, {how}", promise, partial(_trials, model, output, way, ever)


def _trials(model: str, output: str, way: str, ever: bool, trials: int, tally: Tally) -> None:
    for seed in range(1, trials + 1):
        tally.trials += 1
        trial(model, output, way, seed, tally, ever=ever)


def trial(model: str, output: str, way: str, seed: int, tally: Tally, *, ever: bool) -> None:
    """Break an output at any moment of a run: in one frame, after which it ends as well as ever, or for ever."""
    about = MODELS[model]
    # A generator of its own: neither the order of the trials nor their number changes one.
    first = int(np.random.default_rng([seed, ever, about.calls]).integers(about.calls))
    run = _run(model, seed, first, ever)
    while run.passed and not run.rejections and first:
        # The task was done before that call.
        first //= 2
        run = _run(model, seed, first, ever)
    rejected = run.rejections[output, way]
    if run.ended:
        tally.wrong(f"seed {seed}: it ended: {run.ended}")
    elif not rejected:
        tally.wrong(f"seed {seed}: nothing was rejected")
    elif run.passed is False and not ever and run.reason == _run(model, seed, NEVER, ever).reason:
        tally.add("fails alike without the fault", 1.0)
    elif run.passed is False and not (ever and run.reason.startswith(OVERDUE)):
        tally.wrong(f"seed {seed}: {run.reason}")
    elif rejected != run.rejected:
        tally.wrong(f"seed {seed}: {rejected} results were rejected, and {run.rejected} are counted")
    elif ever and about.motion is not None and run.passed is None and run.speed > STANDS:
        tally.wrong(f"seed {seed}: it moves at {run.speed:.3f} after {about.after:g} s without a result")
    elif ever:
        tally.add("results rejected", float(rejected))
    else:
        tally.add("done after [s]", run.seconds)


@dataclass(frozen=True)
class Run:
    """Outcome of a run with a faulty model.

    Attributes:
        passed: verdict; None before there is one.
        reason: sentence of the verdict.
        ended: error that ended the run; empty for none.
        rejected: number of results of the model that were rejected, as the run counts them.
        rejections: number of calls that were rejected, by output and fault.
        speed: largest speed of the robot at the end [rad/s], [m/s].
        seconds: virtual time of the run [s].
    """

    passed: bool | None = None
    reason: str = ""
    ended: str = ""
    rejected: int = 0
    rejections: Counter[tuple[str, str]] = field(default_factory=Counter)
    speed: float = 0.0
    seconds: float = 0.0


@lru_cache(maxsize=4)
def _launch(model: str) -> Launch:
    file, _, swap = LAUNCHES[model]
    return load(LAUNCH / f"{file}.yaml", Overrides(swaps=(swap,)))


@lru_cache(maxsize=1000)
def _run(model: str, seed: int, first: int, ever: bool) -> Run:
    """Run a launch file whose model is broken from one of its calls on, in every way.

    Args:
        model: name of its node.
        seed: seed of the run.
        first: number of the call.
        ever: whether all that follow are broken as well; the run then ends `Model.after` later.
    """
    about, name = MODELS[model], LAUNCHES[model][2].partition("=")[0]
    graph = _launch(model).graph(LAUNCHES[model][1])
    node: Any = graph.entries[name].node
    node.first, node.end = first, NEVER if ever else first + 1
    node.every = tuple((output, way) for other, output in OUTPUTS if other == model for way in WAYS)
    end = None
    try:
        with Lockstep(graph.check(), seed=seed) as run:
            while run.verdict() is None and (end is None or run.now < end):
                run.advance(Time(run.now + STEP))
                if ever and end is None and node.rejections:
                    end = run.now + about.after * SECOND
            verdict = run.verdict()
            topic, part = about.motion or ("", "")
            state = run.latest(topic) if topic else None
            return Run(
                passed=None if verdict is None else verdict.passed,
                reason="" if verdict is None else verdict.reason,
                rejected=run.report().nodes[name].rejected,
                rejections=node.rejections,
                speed=0.0 if state is None else float(np.abs(getattr(state, part)).max()),
                seconds=run.now / SECOND,
            )
    except EmbodiedError as error:
        return Run(ended=str(error).splitlines()[0])
