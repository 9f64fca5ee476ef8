"""Other systems on the same split, to be measured against."""
