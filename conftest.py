"""Registers the pytest plugin in a checkout, as its entry point does for an installed wheel."""

pytest_plugins = ["poincon.pytest_plugin"]
