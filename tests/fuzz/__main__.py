"""Fuzz what users bring: `python -m tests.fuzz [KIND ...] --count 100000`; coverage guides it where atheris is.

Each kind runs in a process of its own. An input that was neither right nor refused by one clear error is kept in the
folder that is named, and its kind is run on it again by `python -m tests.fuzz KIND --input FILE`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz import harness
from tests.fuzz.guided import guide
from tests.fuzz.kinds import KINDS, kind


def main() -> int:
    """Run the fuzzers, and print a line for each kind; exit code 1 if one found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=str(__doc__).splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--count", type=int, default=100_000, help="number of inputs of each kind")
    parser.add_argument("--seed", type=int, default=0, help="seed of the mutations")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="number of kinds at a time")
    parser.add_argument("--input", type=Path, help="read this one input alone")
    parser.add_argument("--plain", action="store_true", help="do not let coverage guide it")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    kinds = chosen.kinds or list(KINDS)
    if chosen.input is not None:
        with tempfile.TemporaryDirectory(prefix="embodied-fuzz-") as folder:
            judge = harness.Judge(kind(kinds[0]), Path(folder))
            judge.judge(chosen.input.read_bytes())
            print(judge.tally)
        return 0
    guided = not chosen.plain and importlib.util.find_spec("atheris") is not None
    if chosen.inside is not None:
        (name,) = kinds
        work = guide if guided else harness.run
        print(harness.result(work(kind(name), chosen.count, chosen.seed, chosen.inside)))
        return 0
    if not guided:
        print("not guided by coverage: atheris is not installed" if not chosen.plain else "not guided by coverage")
    with ThreadPoolExecutor(max(1, chosen.jobs)) as pool:
        good = list(pool.map(lambda name: _outside(name, chosen.count, chosen.seed, plain=not guided), kinds))
    return int(False in good)


def _outside(name: str, count: int, seed: int, *, plain: bool) -> bool:
    """Run one kind in a process of its own; return whether it found nothing."""
    # In memory where that can be: each input is a file for a moment, and most kinds write more.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix=f"embodied-fuzz-{name}-", dir=place))
    command = [sys.executable, "-m", "tests.fuzz", name, "--count", str(count), "--seed", str(seed)]
    began = time.monotonic()
    ended = subprocess.run(
        [*command, *(["--plain"] if plain else []), "--inside", str(folder)],
        capture_output=True,
        text=True,
        errors="replace",  # what native code prints may be anything
        check=False,
    )
    if ended.returncode == 0:
        tally = harness.Tally(**json.loads(ended.stdout.splitlines()[-1]))
        rate = (tally.right + tally.refused) / (time.monotonic() - began)
        print(f"{name}: {tally}; {rate:.0f} inputs/s", flush=True)
        shutil.rmtree(folder)
        return True
    lines = [line for line in ended.stderr.splitlines() if "Found: " in line] or ended.stderr.splitlines()[-3:]
    print(f"{name}: exit code {ended.returncode}, input kept in {folder}: {' '.join(lines)[:1000]}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
