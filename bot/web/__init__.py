"""What Muster serves over HTTP: whether it is alive and whether it is ready."""
