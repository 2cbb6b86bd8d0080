"""Validation of a graph before anything starts: nodes, wires, timing, safety, placement, faults.

Codes: E2xx nodes and settings, E3xx wires, E4xx rates and ages, E5xx loops, E6xx safety, E7xx worlds, E8xx faults,
E9xx machines.
"""
