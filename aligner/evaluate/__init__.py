"""Splits, rankings, metrics and protocols: what features and recommenders are worth."""
