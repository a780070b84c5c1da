"""Discord widgets: persistent buttons, modals, and how errors are answered. What they do is decided elsewhere."""
