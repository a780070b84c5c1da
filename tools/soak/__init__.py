"""`make soak`: a day of mixed use in minutes, and a month after it; does anything grow that should not?

The bot runs in a process of its own, on the world's clock, which is moved by hand. docs/performance.md has more.
"""
