"""Imports of Python modules: the search path of a project's packages, imports bounded in time, lazy exports."""
