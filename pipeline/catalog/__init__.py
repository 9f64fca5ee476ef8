"""A user's catalogue: its tables, items, interactions, and where its pictures are."""
