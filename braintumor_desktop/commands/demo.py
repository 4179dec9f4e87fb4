"""``braintumor demo``: the phantom, analysed, reported, and shown where there is a display."""

from __future__ import annotations

import json
from pathlib import Path

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.commands.analyze import report_of, write_reports
from braintumor_desktop.commands.own_settings import own_settings
from braintumor_desktop.commands.terminal import has_display
from braintumor_desktop.imaging import load
from braintumor_desktop.imaging.sample import write_sample_picture
from braintumor_desktop.inference import Analyzer
from braintumor_desktop.reporting import ensure_folder, json_line, write_heatmap, write_mask
from braintumor_desktop.reporting.atomic import atomic_write


def run(out: Path, *, show: bool = True) -> int:
    """Make the phantom picture, analyse it and write everything the program can say of it to `out`.

    Then open the window on it, unless `show` is false or there is no display. Raises BrainTumorError.
    """
    ensure_folder(out)
    picture = write_sample_picture(out / "phantom.png")
    analysis = Analyzer.open().analyze(load(picture))
    settings = own_settings()
    pdf, png = write_reports(report_of(analysis, settings), out, "phantom", settings)
    mask = write_mask(analysis, out, stem="phantom.mask")
    heatmap = write_heatmap(analysis, out, stem="phantom.heatmap")
    line = json_line(analysis, mask_path=mask, heatmap_path=heatmap)
    with atomic_write(out / "phantom.json") as file:
        file.write((json.dumps(line, indent=2) + "\n").encode())
    print(f"A synthetic head with a lesion: {picture}")
    print(analysis.finding.sentence())
    print(f"Report: {pdf} and {png}")
    print(f"Results: {out / 'phantom.json'}, mask {mask}, heat map {heatmap}")
    print(RESEARCH_USE)
    if not show:
        return 0
    if not has_display():
        print("There is no display, so the window stays closed.")
        return 0
    from braintumor_desktop.app import run as run_window

    return run_window([picture])
