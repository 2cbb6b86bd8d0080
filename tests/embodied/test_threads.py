"""One thread for NumPy's matrix products: the others would only spin while they wait for small ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import embodied, os, time
import numpy as np
print(os.environ["OPENBLAS_NUM_THREADS"])
a = np.ones((400, 400))
wall, own = time.perf_counter(), time.process_time()
for _ in range(40): a @ a
own, wall = time.process_time() - own, time.perf_counter() - wall
print(own <= 1.2 * wall)
"""
"""Prints the number of threads, and whether products of matrices took no more processor time than time."""


@pytest.mark.parametrize(("written", "threads"), [(None, "1"), ("", "1"), ("2", "2")])
def test_a_product_of_matrices_uses_one_thread_unless_a_user_says_otherwise(written: str | None, threads: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {} if written is None else {"OPENBLAS_NUM_THREADS": written}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    said, alone = done.stdout.split()
    assert said == threads
    assert alone == "True" or threads != "1"
