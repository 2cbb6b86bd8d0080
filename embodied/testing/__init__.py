"""Tests of graphs: a fixture that opens launch files in lockstep, and a marker that gives an item to each seed."""
