"""Benchmarks: every figure is a ratio to an alternative that runs beside it. `python -m bench --help`."""
