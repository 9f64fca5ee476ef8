"""The evaluate stage: what the features are worth, measured and saved."""
