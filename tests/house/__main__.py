"""Report what breaks the rules of the house: `python -m tests.house [FOLDER ...]`; exit code 1 if anything does."""

from __future__ import annotations

import gc
import sys

from tests.house.rules import RULES, violations


def main(folders: list[str]) -> int:
    """Print each violation with its place, then a count per rule."""
    # Half a million nodes of syntax trees stay to the end; looking for cycles among them would double the time.
    gc.disable()
    counts = {}
    for rule in RULES:
        found = violations(rule, *folders)
        counts[rule] = len(found)
        for line in found:
            print(f"{rule}: {line}")
    print(", ".join(f"{rule} {count}" for rule, count in counts.items()))
    return int(any(counts.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
