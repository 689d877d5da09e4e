"""Runs a suite against a product and keeps the evidence; the judge turns evidence into verdicts."""
