"""Model families, each behind the extractor contract."""
