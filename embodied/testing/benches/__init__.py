"""Benches: test rigs with a driver, its connection, and the virtual device with a body behind it."""
