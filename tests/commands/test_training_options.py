"""Which options of ``braintumor train`` belong to which models, and which of ``braintumor evaluate`` to each other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from braintumor_desktop import commands
from braintumor_desktop.cli import main

CONFIGS = Path(__file__).parents[2] / "braintumor_desktop/training/configs"


@pytest.mark.parametrize(
    ("config", "option"),
    [
        ("cnn3", ["--without-fold", "1", "2"]),
        ("cnn3", ["--without-lesion-edits"]),
        ("cnn3", ["--start", "weights.pt"]),
        ("cnn3", ["--runs", "2"]),
        ("neuro", ["--max-minutes", "5"]),
    ],
)
def test_an_option_for_other_models_is_refused_by_name(
    config: str, option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--data", str(tmp_path), "--config", str(CONFIGS / f"{config}.toml"), "--run", str(tmp_path)]
    assert main([*command, *option]) == 2
    said = capsys.readouterr().err
    assert f"{option[0]} is for " in said
    assert f"Leave {option[0]} out." in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--all --weights w.pt", "--weights does not go with --all"),
        ("--all --publish", "--publish does not go with --all"),
        ("--all --model cnn3", "--model does not go with --all"),
        ("--all --fold 1 --weights w.pt", "--fold does not go with --all"),
        ("--fold 1 --weights w.pt --publish", "--publish does not go with --fold"),
        ("--fold 1 --weights w.pt --model neuro", "--model does not go with --fold"),
        ("--fold 1", "--fold needs --weights"),
        ("--only neuro", "--only needs --all"),
    ],
)
def test_no_option_of_evaluate_is_ignored(
    options: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "--data", str(tmp_path), "--out", str(tmp_path), *options.split()])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", ["", "--model cnn3 --publish", "--weights w.pt --publish", "--all --only neuro", "--fold 1 --weights w"]
)
def test_options_of_evaluate_that_go_together_are_no_wrong_usage(
    options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--data", "nowhere", "--out", "out", *options.split()]) == 1  # there is no data


@pytest.mark.parametrize("command", [["train", "--config", "x.toml"], ["evaluate"]])
def test_a_program_without_the_training_says_so(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(commands, "training", raising=False)
    monkeypatch.setitem(sys.modules, "braintumor_desktop.commands.training", None)  # as left out by build.spec
    assert main([*command, "--data", "x"]) == 1
    assert "This installation can't train or evaluate." in capsys.readouterr().err


def test_there_is_no_sixth_fold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--data", str(tmp_path), "--config", "x.toml", "--without-fold", "6"])
    assert stopped.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_no_run_at_all_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "--data", str(tmp_path), "--config", str(CONFIGS / "neuro.toml"), "--run", str(tmp_path)]
    assert main([*command, "--runs", "0"]) == 2
    assert "Give --runs 1 or more." in capsys.readouterr().err
