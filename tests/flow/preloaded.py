"""Imported by the forkserver after all else: what ships with Muster and every life would read anew, read once."""

from __future__ import annotations

from bot.chat import templates
from bot.providers.horde import catalogue, text_catalogue

templates.bundled()
catalogue.bundled()
text_catalogue.bundled_reference()
