"""AlignRec itself: the multimodal encoder, its alignments, and the protocols that judge them."""
