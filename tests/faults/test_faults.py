"""The short version: each fault once or a few times; what must hold holds, however slow the machine is."""

from __future__ import annotations

import numpy as np
import pytest

from tests.faults.all import faults
from tests.faults.tally import Tally

SHORT = {
    name: (promise, fault)
    for name, promise, _, fault in faults(np.random.default_rng(1))
    # Each SIGSTOP takes two seconds to be found out; one of either kind says what the others would.
    if not name.startswith("SIGSTOP") or name in ("SIGSTOP policy", "SIGSTOP guard")
}


@pytest.mark.parametrize("name", SHORT)
def test_what_was_promised_of_a_fault_holds(name: str) -> None:
    promise, fault = SHORT[name]
    tally = Tally(name, promise, timed=False)
    fault(2 if name.startswith("kill") else 1, tally)
    assert tally.trials
    assert not tally.broken
