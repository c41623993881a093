"""Recorded runs: what data/runs holds, and how each was made.

``python -m ttslib.tools.records NAME`` records one anew.
"""
