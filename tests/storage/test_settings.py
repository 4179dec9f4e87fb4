"""Settings survive a restart, and damage to them never stops a start."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from braintumor_desktop.storage.settings import (
    RECENT_LIMIT,
    Settings,
    load_settings,
    save_settings,
    settings_path,
)


def test_a_first_start_has_the_defaults_and_nothing_to_repair(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == (Settings(), [])


def test_every_setting_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = Settings(
        recent=["/a/b.png", "/c/ü d.jpg"],
        hide_recent_names=True,
        last_folder="/a",
        paper="Letter",
        cam="layer-cam",
        mirrored=False,
        colormap="jet",
        show_contour=False,
        show_fill=True,
        show_heatmap=True,
        show_diameters=False,
        contour_opacity=0.5,
        fill_opacity=0.0,
        heatmap_opacity=1.0,
        max_file_mb=64,
        model_id="cnn3",
        device="cpu",
        appearance="light",
        language="de",
        window_geometry="AAECAw==",
        splitter_state="AAA=",
        keep_readings=False,
        deidentify_exports=True,
        blank_text=True,
        clinic_name="Clinic by the Park",
        clinic_address="1 Park Street\nTown",
        clinic_footer="Confidential.",
        clinic_logo="iVBORw0KGgo=",
    )
    defaults = asdict(Settings())
    assert [f.name for f in fields(Settings) if asdict(saved)[f.name] == defaults[f.name]] == ["version"]
    save_settings(saved, tmp_path / "deep" / "settings.json")
    assert load_settings(tmp_path / "deep" / "settings.json") == (saved, [])


def test_one_bad_key_loses_only_itself_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save_settings(Settings(colormap="jet", paper="Letter"), path)
    raw = json.loads(path.read_text())
    raw["paper"] = "papyrus"
    path.write_text(json.dumps(raw))
    settings, repairs = load_settings(path)
    assert settings == Settings(colormap="jet", paper="A4")
    assert len(repairs) == 1
    assert "paper" in repairs[0]


@pytest.mark.parametrize("key", ["window_geometry", "splitter_state", "clinic_logo"])
@pytest.mark.parametrize("damaged", ["iVBORw0Kx", "iVBORw0Ké", "\ud800"])
def test_what_can_not_be_decoded_is_dropped_and_named(tmp_path: Path, key: str, damaged: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": 2, "paper": "Letter", key: damaged}))
    settings, repairs = load_settings(path)
    assert settings == Settings(paper="Letter")
    assert repairs == [f"The setting “{key}” was damaged and has its default again."]


@pytest.mark.parametrize("damage", ["", "{", "[1, 2]", "null", "\x00\x01", '{"paper": ', "[" * 100_000])
def test_an_unreadable_file_is_kept_aside_and_the_start_goes_on(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(damage)
    settings, repairs = load_settings(path)
    assert settings == Settings()
    assert len(repairs) == 1
    assert not path.exists()
    assert (tmp_path / "settings.json.broken").read_text() == damage


def test_bytes_that_are_not_text_are_kept_aside_too(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xff\xfe\x80{}")
    assert load_settings(path)[0] == Settings()
    assert (tmp_path / "settings.json.broken").exists()


def test_settings_of_a_later_version_keep_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": 99, "paper": "Letter", "hologram": True}))
    settings, repairs = load_settings(path)
    assert settings == Settings(paper="Letter")
    assert len(repairs) == 2


def test_settings_from_before_the_mean_was_the_usual_answer_take_the_new_default(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": 1, "paper": "Letter", "mirrored": False}))
    assert load_settings(path) == (Settings(paper="Letter", mirrored=True), [])
    path.write_text(json.dumps({"version": 2, "mirrored": False}))
    assert load_settings(path) == (Settings(mirrored=False), [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


# The first draw pays for hypothesis' own tables, which a busy machine takes for a slow strategy.
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([f.name for f in fields(Settings)]), json_values))
def test_whatever_stands_in_the_file_the_settings_are_usable(
    tmp_path_factory: pytest.TempPathFactory, raw: object
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    path.write_text(json.dumps(raw))
    settings, _ = load_settings(path)
    save_settings(settings, path)
    assert load_settings(path) == (settings, [])


def test_a_failed_save_leaves_the_old_settings_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save_settings(Settings(paper="Letter"), path)
    with pytest.raises(TypeError):
        save_settings(Settings(paper=object()), path)  # type: ignore[arg-type]
    assert load_settings(path)[0].paper == "Letter"
    assert [p.name for p in tmp_path.iterdir()] == ["settings.json"]


def test_recent_files_are_newest_first_without_doubles_and_bounded() -> None:
    settings = Settings()
    for i in range(RECENT_LIMIT + 5):
        settings.remember(Path(f"/scans/{i}.png"))
    settings.remember(Path("/scans/9.png"))
    assert settings.recent[0] == str(Path("/scans/9.png"))
    assert len(settings.recent) == len(set(settings.recent)) == RECENT_LIMIT


def test_forgetting_recent_files_leaves_no_path_in_the_file(tmp_path: Path) -> None:
    settings = Settings(last_folder="/clinic/doe")
    settings.remember(Path("/clinic/doe/jane.png"))
    settings.forget_recent()
    save_settings(settings, tmp_path / "s.json")
    assert "doe" not in (tmp_path / "s.json").read_text()


def test_an_isolated_run_keeps_its_settings_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAINTUMOR_CONFIG_DIR", str(tmp_path))
    save_settings(Settings(paper="Letter"))
    assert settings_path() == tmp_path / "settings.json"
    assert load_settings()[0].paper == "Letter"
