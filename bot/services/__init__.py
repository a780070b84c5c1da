"""What Muster does with jobs, without knowing Discord: submit, track, conclude, recover."""
