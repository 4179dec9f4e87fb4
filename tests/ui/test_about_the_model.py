"""Help → About the model: one page on what it knows, how good it is, and what it must not be used for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from braintumor_desktop.models.manifest import find_model, read_manifest
from braintumor_desktop.ui import help_dialogs
from braintumor_desktop.ui.help_dialogs import TextDialog, model_html

FIGURES = {
    "Mean Dice, Cheng val": {"value": 0.7703, "low": 0.714, "high": 0.8461},
    "Tumour-free slices called tumour": {"value": 0.0462, "low": None, "high": None},
}


def test_the_page_says_how_good_it_is_with_intervals_and_when_not_to_use_it(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(find_model("neuro"), figures=FIGURES)
    monkeypatch.setattr(help_dialogs, "find_model", lambda _id: row)
    dialog = TextDialog("About the model", model_html("neuro"))
    qtbot.addWidget(dialog)
    text = dialog.text.toPlainText()
    assert "0.770 (0.714–0.846)" in text
    assert "0.046" in text
    assert "0.046 (" not in text
    assert "95 % intervals" in text
    assert "Not to be used" in text
    assert row.sha256 in text


@pytest.mark.parametrize("model", ["neuro", "lenet-binary", "vgg16"])
def test_every_bundled_model_has_figures_that_lie_in_their_intervals(model: str) -> None:
    figures = read_manifest()[model].figures
    assert len(figures) >= 3
    for figure in figures.values():
        assert figure["value"] is not None
        if figure["low"] is not None and figure["high"] is not None:
            assert figure["low"] <= figure["value"] <= figure["high"]
    assert "Measured on held-out patients" in model_html(model)
    assert ("Gliomas are outlined worst" in model_html(model)) == (model == "neuro")


def test_a_model_that_is_not_there_is_said_not_raised() -> None:
    assert "no model called" in model_html("nothing")
