"""Releases on the Hugging Face Hub: pushed, found, pulled and withdrawn."""
