"""Help → Licences tells of every work the program is made of."""

from __future__ import annotations

import re
from importlib.metadata import requires

from pytestqt.qtbot import QtBot

from braintumor_desktop.licences import notices
from braintumor_desktop.ui.licences_dialog import LicencesDialog


def test_every_dependency_and_what_it_needs_is_named_with_a_licence() -> None:
    needed = [line for line in requires("braintumor-desktop") or [] if "extra ==" not in line]
    wanted = {re.split(r"[=<>\[; ]", line)[0].lower().replace("_", "-") for line in needed}
    assert len(wanted) > 10
    told = {notice.name.lower().replace("_", "-"): notice for notice in notices()}
    assert wanted <= set(told)
    assert {"noto sans", "fonttools"} <= set(told)  # a font, and what a dependency needs in its turn
    assert "trained further on brain MRI" in told["efficientnet-lite2, weights learned on imagenet"].text
    assert all(notice.licence for notice in told.values())
    assert "Redistribution and use in source and binary forms" in told["torch"].text


def test_the_dialog_shows_the_licence_of_the_chosen_work(qtbot: QtBot) -> None:
    dialog = LicencesDialog()
    qtbot.addWidget(dialog)
    dialog.open()
    qtbot.waitExposed(dialog)
    row = next(i for i, notice in enumerate(notices()) if notice.name == "Noto Sans")
    dialog.works.setCurrentRow(row)
    assert dialog.text.toPlainText().startswith("OFL-1.1")
    assert "SIL OPEN FONT LICENSE" in dialog.text.toPlainText()
