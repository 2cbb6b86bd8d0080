"""Test benches: a driver, the wire, and the virtual device with a body behind it."""
