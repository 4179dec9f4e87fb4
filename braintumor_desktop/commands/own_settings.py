"""The user's settings, as far as commands keep to them: letterhead and paper of reports, the largest file."""

from __future__ import annotations

import sys

from braintumor_desktop.imaging import Limits
from braintumor_desktop.storage.settings import Settings, load_settings


def own_settings() -> Settings:
    """As the window has them. What had to be repaired is told on stderr, one line each."""
    settings, repairs = load_settings()
    for repair in repairs:
        sys.stderr.write(f"braintumor: {repair}\n")
    return settings


def limits_of(settings: Settings) -> Limits:
    """What is refused as too large, in the window as here."""
    return Limits(max_file_bytes=settings.max_file_mb * 2**20)
