"""`make bench`: how quick the bot is and what it costs, measured apart from the world it lives in.

The simulators run in this process, the bot in one of its own, so that what is read from its `/proc` entry is its cost
alone. Each measurement has a world and a database of its own. docs/performance.md says how to read the table.
"""
