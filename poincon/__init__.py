"""Poinçon: the front doors (command line, pytest plugin, kill rate). Knows every package, is known by none."""

__version__ = "0.1.0"
