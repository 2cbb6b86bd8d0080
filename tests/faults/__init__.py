"""Faults that are injected for real into a running graph: what was promised, how often it was tried, and what came."""
