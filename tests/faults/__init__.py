"""Faults that are injected into running graphs and devices, with a promise for each, tried many times."""
