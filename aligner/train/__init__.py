"""Content-category and user-item alignment: full AlignRec training."""
