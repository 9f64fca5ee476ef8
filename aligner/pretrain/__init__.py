"""Inter-content alignment: the multimodal encoder and its mask-then-predict training."""
