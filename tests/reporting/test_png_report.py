"""The PNG: the same drawing on one page."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.reporting import ReaderNote, build_report, write_png
from braintumor_desktop.reporting.letterhead import Letterhead


def pixels_of(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.mode == "RGB"
        assert [round(dots) for dots in picture.info["dpi"]] == [150, 150]
        return np.asarray(picture)


def test_the_picture_is_a4_wide_at_150_dpi_and_as_tall_as_its_content(make_analysis: Any, tmp_path: Path) -> None:
    write_png(build_report(make_analysis()), tmp_path / "short.png")
    note = ReaderNote("agree", "Many words of comment. " * 300, "Dr. A", date(2026, 3, 4))
    write_png(build_report(make_analysis(), reader=note), tmp_path / "long.png")
    short, long = pixels_of(tmp_path / "short.png"), pixels_of(tmp_path / "long.png")
    assert abs(short.shape[1] - 210 / 25.4 * 150) <= 1
    assert short.shape[1] == long.shape[1]
    assert long.shape[0] > short.shape[0] + 300
    for picture in (short, long):
        below = (picture[-140:] < 128).any(axis=(1, 2))  # the footer, and no empty stretch above it
        assert below.any()
        assert (picture[:, :40] == 255).all()  # the margin
        assert 0.01 < (picture < 100).all(axis=2).mean() < 0.6


def test_a_report_that_no_picture_holds_is_refused_with_a_next_step(make_analysis: Any, tmp_path: Path) -> None:
    long = build_report(make_analysis(), reader=ReaderNote("agree", "line\n" * 1600))
    with pytest.raises(BrainTumorError, match="The report is too long for one picture") as refused:
        write_png(long, tmp_path / "long.png")
    assert (refused.value.code, refused.value.hint) == (ErrorCode.EXPORT_FAILED, "Save the report as PDF.")
    assert list(tmp_path.iterdir()) == []


def test_banner_lesion_outline_and_heat_map_are_in_the_picture_in_colour(make_analysis: Any, tmp_path: Path) -> None:
    write_png(build_report(make_analysis()), tmp_path / "with.png")
    write_png(build_report(make_analysis(outlined=False, heated=False)), tmp_path / "without.png")
    seen, bare = pixels_of(tmp_path / "with.png").astype(int), pixels_of(tmp_path / "without.png").astype(int)

    def yellow(picture: np.ndarray[Any, Any]) -> int:
        picture = picture[120:]  # below the banner
        return int(((picture[:, :, 0] > 180) & (picture[:, :, 1] > 160) & (picture[:, :, 2] < 110)).sum())

    def banner(picture: np.ndarray[Any, Any]) -> int:
        return int((np.abs(picture[:120] - (255, 243, 211)).max(axis=2) <= 2).sum())

    assert yellow(bare) == 0
    assert yellow(seen) > 500
    assert banner(seen) > 20_000
    assert banner(bare) > 20_000


def test_a_clinic_s_footer_makes_the_picture_taller_and_takes_nothing_away(make_analysis: Any, tmp_path: Path) -> None:
    write_png(build_report(make_analysis()), tmp_path / "plain.png")
    footer = "\n".join(f"line {number}" for number in range(8))
    write_png(build_report(make_analysis(), letterhead=Letterhead(footer=footer)), tmp_path / "footed.png")
    plain, footed = pixels_of(tmp_path / "plain.png"), pixels_of(tmp_path / "footed.png")
    assert footed.shape[0] - plain.shape[0] > 8 * 6.6 * 1.2 / 72 * 150  # lines of 6.6 points
    above = len(plain) - 90  # the footer's rule
    ink, ink_footed = ((picture[above - 400 : above] < 128).sum() for picture in (plain, footed))
    assert abs(ink_footed - ink) < 0.1 * ink
