"""Observing: judging traffic that others recorded. A file of exchanges in, what was found and measured out."""
