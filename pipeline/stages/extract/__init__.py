"""The extract stage: raw features of every modality, resumable shard by shard."""
