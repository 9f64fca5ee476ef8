"""The pipeline: from a catalogue and a config to a release, stage by stage."""
