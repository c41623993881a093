"""What the Makefile calls. Nothing imports it."""
