"""Chores of the people who work on Muster: nothing here is shipped with it."""
