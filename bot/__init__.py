"""Muster: a Discord bot that calls up shared, volunteer-run AI."""

__version__ = "0.1.0"
