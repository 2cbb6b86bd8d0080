"""Short version of the faults: each is tried once or twice, and its promise is kept on a machine of any speed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.faults.all import faults
from tests.faults.tally import Tally

SHORT = {
    name: (promise, fault)
    for name, promise, _, fault in faults(np.random.default_rng(1))
    # Each SIGSTOP takes two seconds to be detected; one of either kind stands for the others.
    if not name.startswith("SIGSTOP") or name in ("SIGSTOP policy", "SIGSTOP guard")
}


@pytest.mark.parametrize("name", SHORT)
def test_the_promise_for_a_fault_is_kept(name: str) -> None:
    promise, fault = SHORT[name]
    tally = Tally(name, promise, timed=False)
    fault(2 if name.startswith("kill") else 1, tally)
    assert tally.trials
    assert not tally.broken
