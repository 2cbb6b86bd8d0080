"""Links carry messages between processes: shared memory on one machine, ZeroMQ with CURVE between machines."""
