"""Chaos: random deaths and mishaps while people ask for things; at the end an auditor counts what went wrong."""
