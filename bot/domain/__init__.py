"""What Muster talks about: requests, jobs, stages, progress, results. Frozen values, no I/O."""
