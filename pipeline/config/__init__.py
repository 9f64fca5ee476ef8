"""The configuration: its settings, its file, its reference page."""
