"""Which options of ``braintumor train`` belong to which models."""

from __future__ import annotations

from pathlib import Path

import pytest

from braintumor_desktop.cli import main

CONFIGS = Path(__file__).parents[2] / "braintumor_desktop/training/configs"


@pytest.mark.parametrize(
    ("config", "option"),
    [
        ("cnn3", ["--without-fold", "1", "2"]),
        ("cnn3", ["--without-lesion-edits"]),
        ("cnn3", ["--start", "weights.pt"]),
        ("neuro", ["--max-minutes", "5"]),
    ],
)
def test_an_option_for_other_models_is_refused_by_name(
    config: str, option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--data", str(tmp_path), "--config", str(CONFIGS / f"{config}.toml"), "--run", str(tmp_path)]
    assert main([*command, *option]) == 1
    said = capsys.readouterr().err
    assert f"{option[0]} is for " in said
    assert f"Leave {option[0]} out." in said


def test_there_is_no_sixth_fold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--data", str(tmp_path), "--config", "x.toml", "--without-fold", "6"])
    assert stopped.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
