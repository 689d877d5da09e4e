"""The named checks of scenarios: pure functions from a recorded message to what it misses.

Source: docs/formats/verdicts.md.
"""
