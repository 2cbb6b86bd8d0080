"""Devices: the registry of device folders, and the base of their virtual counterparts."""
