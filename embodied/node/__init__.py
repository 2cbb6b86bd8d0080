"""Nodes: behaviour as a class, its ports as a signature, and the identity of the device behind it."""
