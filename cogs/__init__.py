"""Slash commands and presses: they parse, delegate, and nothing else."""
