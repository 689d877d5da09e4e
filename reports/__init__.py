"""Tells what happened: bilan, exports, certificate and its verification."""
