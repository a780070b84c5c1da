"""What Muster serves over HTTP: its health and, with a public address, the doors through which services push."""
