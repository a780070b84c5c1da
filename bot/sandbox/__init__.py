"""Simulators of Discord and the AI Horde: a second, independent reading of their protocols.

Nothing here imports the clients that are tried on it (checked by import-linter).
"""
