"""A release on disk: written, verified, loaded, extended and compared."""
