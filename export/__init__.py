"""Feature sets and releases: write, verify, publish and load them."""
