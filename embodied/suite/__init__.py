"""Many seeds of one or several launch files: run in processes of their own, counted, kept, compared and told."""

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
