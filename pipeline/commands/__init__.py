"""What the commands do beside running stages."""
