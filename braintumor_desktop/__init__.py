"""Offline brain-tumour MRI analysis: a desktop program and a command line. Research use only."""

from braintumor_desktop.domain.phrases import phrase

__version__ = "0.3.0"

RESEARCH_USE: str = phrase("Research use only. Not a medical device. Not for diagnosis.")
"""The statement that every window, report and export carries."""
