"""What the Makefile calls; no chapter imports it."""
