"""Alembic's environment; `bot/store/upgrade.py` runs it."""
