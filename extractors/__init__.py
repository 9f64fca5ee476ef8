"""Frozen pretrained models that turn item images and texts into embeddings."""
