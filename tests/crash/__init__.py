"""The systematic crash test: the bot dies at every point along a job, and promise 2 is checked after each death."""
