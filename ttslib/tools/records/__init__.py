"""Recorded runs: what data/runs holds, and how each was made."""
