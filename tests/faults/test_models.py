"""Short version of the faults in outputs of models: one seed of the quickest run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.faults.all import faults
from tests.faults.models import WAYS, trial
from tests.faults.tally import Tally
from tests.policies.faulty_models import OUTPUTS


@pytest.mark.parametrize("ever", [False, True])
@pytest.mark.parametrize(("output", "way"), [("motion", "nan"), ("motion", "shape"), ("closing", "inf")])
def test_the_promise_for_a_fault_of_a_model_is_kept(output: str, way: str, ever: bool) -> None:
    # Such faults share a run; the other models have rejected results in tests of theirs.
    tally = Tally("model cloned", "rejected", timed=False)
    trial("cloned", output, way, 1, tally, ever=ever)
    assert not tally.broken
    assert tally.figures


def test_each_fault_of_each_output_of_each_model_is_among_the_faults() -> None:
    names = [name for name, *_ in faults(np.random.default_rng(0)) if name.startswith("model ")]
    assert len(set(names)) == len(names) == 2 * len(OUTPUTS) * len(WAYS)
