"""A module that never returns is reported with its line; one that is merely slow, or large, is imported."""

from __future__ import annotations

import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest

from embodied.imports import bounded
from embodied.imports.bounded import ImportStuck, import_module
from embodied.launch import load


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_modules: None) -> Path:
    monkeypatch.setattr(bounded, "PATIENCE", 0.2)
    monkeypatch.setattr(bounded, "LOOK_PERIOD", 0.05)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


STUCK = {
    "a loop": "while True: pass\n",
    "a sleep": "import time\ntime.sleep(1e6)\n",
    "a loop that catches all": "try:\n  while 1: pass\nexcept BaseException: pass\nwhile 1: pass\n",
    "a loop that catches exceptions": "while True:\n  try: pass\n  except Exception: pass\n",
    "a lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n",
    "a socket": "import socket\nwith socket.socket() as it:\n  it.bind(('127.0.0.1', 0)); it.listen(); it.accept()\n",
}


@pytest.mark.parametrize("how", STUCK)
def test_a_module_that_never_returns_is_reported_with_its_line(how: str, short: Path) -> None:
    (short / "stuckmodule.py").write_text(STUCK[how])
    begin = time.monotonic()
    with pytest.raises(ImportStuck, match=r"it is not over after 0\.2 s, at .*:\d+"):
        import_module("stuckmodule")
    assert time.monotonic() - begin < 30
    assert "stuckmodule" not in sys.modules


def test_check_names_the_module_its_line_and_the_remedy(short: Path) -> None:
    (short / "policies").mkdir()
    (short / "policies" / "stuck_one.py").write_text("X = 1\nwhile True: pass\n")
    cell = short / "cell.yaml"
    cell.write_text('embodied: 1\nclock: lockstep\nnodes: {a: {use: "policies.stuck_one:A"}}\n')
    (problem,) = load(cell).check().problems
    assert problem.code == "E201"
    assert problem.message.endswith("policies/stuck_one.py:2")
    assert problem.help == ("what takes its time belongs into open(), where it is waited for",)


def test_a_module_that_imports_many_others_may_take_its_time(short: Path) -> None:
    slow = "import time\nend = time.monotonic() + 0.1\nwhile time.monotonic() < end: pass\n"
    for number in range(6):
        (short / f"slowpart{number}.py").write_text(slow)
    (short / "slowwhole.py").write_text("".join(f"import slowpart{number}\n" for number in range(6)))
    import_module("slowwhole")


def test_a_long_call_of_c_is_waited_for(short: Path) -> None:
    code = """
    import time
    n, begin = 20, time.monotonic()
    while time.monotonic() - begin < 0.6:  # until one call takes longer than the patience
        n, begin = n + 1, time.monotonic()
        sum(range(1 << n))
    """
    (short / "longcall.py").write_text(textwrap.dedent(code))
    assert import_module("longcall").n > 20


def test_somebody_elses_timer_goes_on(short: Path) -> None:
    (short / "quickmodule.py").write_text("X = 1\n")
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        import_module("quickmodule")
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.3
        deadline = time.monotonic() + 20
        while not rung and time.monotonic() < deadline:
            signal.sigtimedwait([], 0.05)
        assert rung
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left, interval)
