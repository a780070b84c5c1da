"""Remote services, one folder each, all behind the port in `base.py`."""
