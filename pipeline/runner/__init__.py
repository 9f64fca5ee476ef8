"""A run on disk: its folder, stages and manifests, checkpoints, lock and console."""
