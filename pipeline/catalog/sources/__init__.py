"""Catalogues as others publish them, each an object of its own with its detection."""
