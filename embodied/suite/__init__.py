"""Suites: many seeds of launch files, run in worker processes, recorded, summarised, compared and reported."""

from embodied.suite.compare import Comparison, compare
from embodied.suite.seed_run import Job, Result, Scenario, run_seed
from embodied.suite.summary import Summary, wilson
from embodied.suite.workers import run_suite

__all__ = [
    "Comparison",
    "Job",
    "Result",
    "Scenario",
    "Summary",
    "compare",
    "run_seed",
    "run_suite",
    "wilson",
]
