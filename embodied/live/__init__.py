"""Live runner: the nodes of a graph in processes on the steady clock, linked by shared memory and supervised."""
