"""The graph: nodes and wires as data, the proof that they fit, and the plan that runners follow."""
