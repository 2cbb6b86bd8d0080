"""The live runner: every process group of a graph is a process, linked by shared memory and supervised."""
