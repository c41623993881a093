"""What several tests need."""

import signal

import pytest


@pytest.fixture
def interruptible():
    """A shell's background job ignores SIGINT, and a Stop button with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
