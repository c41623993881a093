"""What the Makefile calls. No module imports it; chapters 00 and 02 read from
``train_tiny`` what was planted in the base policy."""
