"""Dates and times of DICOM (VR DA, TM, DT; PS3.5 6.2) moved by a patient's shift."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_DATE = re.compile(r"\d{8}")
_TIME = re.compile(r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\.\d{1,6})?)?)?")
_DATE_TIME = re.compile(r"(\d{4}(?:\d{2}){0,5})(\.\d{1,6})?([+-]\d{4})?")
_MIDDLE = "00000701120000"  # of the year and day: what is not told of a date and time
_START = "00000101000000"


def shifted_date(date: str, time: str, shift: timedelta) -> str | None:
    """A date moved together with the time of day that belongs to it (may be empty); None where it is no date."""
    if not _DATE.fullmatch(date.strip()):
        return None
    clock = time.strip() if _TIME.fullmatch(time.strip()) else ""
    moved = _moved(date.strip() + clock.split(".")[0], shift, _START)
    return None if moved is None else moved[:8]


def shifted_time(time: str, shift: timedelta) -> str | None:
    """A time of day, moved round the clock, as exact as it was; None where it is none."""
    time = time.strip()
    if not _TIME.fullmatch(time):
        return None
    clock, dot, fraction = time.partition(".")
    moved = _moved("20000615" + clock, shift, _START)
    return None if moved is None else moved[8 : 8 + len(clock)] + dot + fraction


def shifted_date_time(value: str, shift: timedelta) -> str | None:
    """A date and time, as exact as it was, with its offset from UTC; None where it is none."""
    found = _DATE_TIME.fullmatch(value.strip())
    if found is None:
        return None
    digits, fraction, zone = found[1], found[2] or "", found[3] or ""
    moved = _moved(digits, shift, _MIDDLE if len(digits) < 8 else _START)
    return None if moved is None else moved[: len(digits)] + fraction + zone


def _moved(digits: str, shift: timedelta, filling: str) -> str | None:
    """Fourteen digits, year to second. digits: its first 4 to 14."""
    try:
        moment = datetime.strptime(digits + filling[len(digits) :], "%Y%m%d%H%M%S") + shift
    except (ValueError, OverflowError):
        return None
    return f"{moment.year:04d}{moment:%m%d%H%M%S}"
