"""How every number is rounded and worded, once for all formats.

| quantity                          | rounded to      | in words    |
|-----------------------------------|-----------------|-------------|
| probability, share, score (0..1)  | 4 decimals      | 97.3 %      |
| percent of picture or head        | 2 decimals      | 1.30 %      |
| length in pixels or millimetres   | 1 decimal       | 44.1 px     |
| area in pixels                    | whole           | 1,234 px    |
| area in mm²                       | 1 decimal       | 302.4 mm²   |
| mean and SD of grey values        | 4 digits (a)    | 0.3217      |
| volume in ml                      | 2 decimals      | 12.35 ml    |
| time in ms                        | 1 decimal       |             |

(a) Grey values have any scale. Whole numbers stay whole, and there are 9 decimals at most.

Words are made from the rounded number, so a report never says another number than the JSON line.
A number that is missing, infinite or not a number is unknown: None, and "unknown" in words.
"""

from __future__ import annotations

import math

from braintumor_desktop.domain.measurements import Diameter
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.language import number, tr

UNKNOWN = phrase("unknown")


def rounded(value: float | None, decimals: int) -> float | None:
    """`value` to so many decimals, None where it is None, infinite or not a number."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), decimals) + 0.0  # + 0.0 turns -0.0 into 0.0


def share(value: float | None) -> float | None:
    """A probability, share or score between 0 and 1."""
    return rounded(value, 4)


def complement(value: float | None) -> float | None:
    """1 minus the rounded share, so that the two add up to exactly 1 as printed."""
    known = share(value)
    return None if known is None else share(1.0 - known)


def percentage(value: float | None) -> float | None:
    return rounded(value, 2)


def length(value: float | None) -> float | None:
    return rounded(value, 1)


def square_mm(value: float | None) -> float | None:
    return rounded(value, 1)


def millilitres(value: float | None) -> float | None:
    return rounded(value, 2)


def milliseconds(value: float | None) -> float | None:
    return rounded(value, 1)


def grey(value: float | None) -> float | None:
    """A mean or standard deviation of grey values."""
    return rounded(value, _grey_decimals(value))


def grey_in_words(value: float | None) -> str:
    known = grey(value)
    return in_words(known, _grey_decimals(known), "").strip()


def _grey_decimals(value: float | None) -> int:
    if not value or not math.isfinite(value):
        return 1
    return min(9, max(0, 3 - math.floor(math.log10(abs(value)))))


def share_in_words(value: float | None) -> str:
    """A probability as a percentage with one decimal. Never 100 % or 0 % unless it is exactly that at four decimals."""
    known = share(value)
    if known is None:
        return tr(UNKNOWN)
    if 0.9995 <= known < 1:
        return tr("more than 99.9 %")
    if 0 < known < 0.0005:
        return tr("less than 0.1 %")
    return tr("{percent:.1f} %", percent=100 * known)


def in_words(value: float | None, decimals: int, unit: str) -> str:
    """`value` with so many decimals, thousands marked, and its unit; in the language in use."""
    known = rounded(value, decimals)
    return tr(UNKNOWN) if known is None else f"{number(f'{known:,.{decimals}f}')} {unit}"


def diameter_in_words(diameter: Diameter, *, pixels_too: bool = False) -> str:
    """Millimetres where they are known, with the pixels in brackets if asked for; else pixels."""
    pixels = in_words(diameter.length_px, 1, "px")
    if diameter.length_mm is None:
        return pixels
    millimetres = in_words(diameter.length_mm, 1, "mm")
    return f"{millimetres} ({pixels})" if pixels_too else millimetres
