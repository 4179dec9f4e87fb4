import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training_data import write_training_data

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.inference.analyzer import Analyzer
from braintumor_desktop.models.manifest import find_model, read_manifest
from braintumor_desktop.training import comparison, comparison_page
from braintumor_desktop.training.comparison import compare, cost
from braintumor_desktop.training.comparison_plot import plot_stress
from braintumor_desktop.training.data import read_rows
from braintumor_desktop.training.explanations import energy, iou_at_otsu, pointing
from braintumor_desktop.training.faults import FAULTS, how_flagged
from braintumor_desktop.training.folds import ABLATION, ablation_table, folds_table, read_folds
from braintumor_desktop.training.robustness import STRESSES
from braintumor_desktop.training.strangers import EACH, strangers

BOTH = ("flagged", "flagged_without")


def some(value: float | None) -> dict[str, float | None]:
    return {"value": value, "low": value, "high": value}


@pytest.fixture
def found() -> dict[str, dict]:
    """Two models, one of which gives neither outlines nor types."""

    def model(full: bool) -> dict:
        value = 0.9 if full else None
        return {
            "figures": {
                "cheng": {
                    "accuracy_3": some(value),
                    "macro_f1_3": some(value),
                    "dice": some(value),
                    "dice_zero": some(0.021 if full else None),
                    "called_tumor": some(0.972),
                    "patient_accuracy": some(value),
                },
                "web": {"auroc_tumor": some(0.95), "macro_f1_4": some(value)},
                "tumor_free": {"all": {"slices": 390, "called_tumor": 7, "outlined": 3}},
                "calibration": {"temperature": value}
                | dict.fromkeys(
                    (
                        *("ece_uncalibrated", "ece", "coverage_groups", "coverage", "coverage_cheng"),
                        *("set_size", "set_size_cheng"),
                    ),
                    some(value),
                ),
                "dice_estimate": {"mean_absolute_error": 0.1, "correlation": 0.5} if full else None,
            },
            "trained": "pictures, 3 of 20 epochs",
            "cost": {
                "parameters": 1234567,
                "gmac": 1.5,
                "file_bytes": 9_000_000,
                "peak_memory_bytes": 4e8,
                "milliseconds_median": 29.4,
            },
            "stress": {
                s.title: {"mild": s.mild, "called_tumor": some(0.625)}
                | dict.fromkeys(("accuracy_3", "dice"), some(value) if full else None)
                for s in STRESSES
            },
            "explanations": {"grad-cam": {"pointing": some(0.5), "energy": some(0.25), "iou_at_otsu": some(0.125)}},
            "strangers": {
                "auroc": 0.998,
                "brains": {"Cheng val": {"pictures": 4, "flagged": 0.25, "median": 0.4}},
                "strangers": {"noise": {"pictures": 20, "flagged": 1.0, "median": 0.8}},
            }
            if full
            else None,
            "faults": {"half turn": {"flag": "upside_down", "pictures": 9} | dict.fromkeys(BOTH, some(0.25))}
            if full
            else None,
            "sequences": {"web val, FLAIR": {"pictures": 21, "warned": 0.81}} if full else None,
        }

    return {"neuro": model(True), "lenet-binary": model(False)}


def test_the_plot_of_stress_shows_models_that_tell_types_and_leaves_out_what_others_cannot(
    found: dict, tmp_path: Path
) -> None:
    def dark_pixels(chosen: dict) -> int:
        plot_stress(chosen, tmp_path / "plot.png")
        return int((np.asarray(Image.open(tmp_path / "plot.png").convert("RGB")) == (0, 0x72, 0xB2)).all(axis=2).sum())

    assert dark_pixels({"neuro": found["neuro"]}) > 500
    assert dark_pixels({"lenet-binary": found["lenet-binary"]}) == 0


def test_the_page_holds_every_table_and_a_dash_for_what_a_model_cannot_give(found: dict, tmp_path: Path) -> None:
    page = comparison_page.write(found, tmp_path)
    assert (tmp_path / "comparison.md").read_text(encoding="utf-8") == page
    assert all(f"## {title}" in page for title, _ in comparison_page.TABLES.values())
    (row,) = [line for line in page.splitlines() if line.startswith("| `lenet-binary` | — | — | — | — | 97.2 %")]
    assert row.endswith("| 7 of 390 |")
    (row,) = [line for line in page.splitlines() if line.startswith("| half turn | strong")]
    assert row.endswith("0.900 (0.900–0.900); 0.900 (0.900–0.900) | called tumour 0.625 (0.625–0.625) |")
    assert "| `neuro` | 1,234,567 | 1.50 | 9.0 | 29 | 400 |" in page
    assert "AUROC 0.9980" in page
    assert "| half turn | `upside_down` | 9 | 25.0 % (25.0–25.0) | 25.0 % (25.0–25.0) |" in page
    assert "| Cheng val mean Dice | at least 0.8 | 0.900 | yes |" in page
    assert "| Cheng val share of slices with Dice 0 | at most 0.02 | 0.021 | **no** |" in page
    assert "| `neuro` | web val, FLAIR | 21 | 81 % |" in page


def test_marked_tables_of_a_card_are_written_anew_and_its_prose_stays(found: dict, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("Before\n<!-- table: cost -->\nold\n<!-- end -->\nafter\n<!-- table: folds -->\n<!-- end -->\n")
    comparison_page.fill(card, found, {"folds": "the folds"})
    text = card.read_text(encoding="utf-8")
    assert text.startswith("Before\n<!-- table: cost -->\n| model |")
    assert "\nold\n" not in text
    assert "\nafter\n" in text
    assert "<!-- table: folds -->\nthe folds\n<!-- end -->" in text
    again = text
    comparison_page.fill(card, found, {"folds": "the folds"})
    assert card.read_text(encoding="utf-8") == again


def test_a_card_that_wants_an_unknown_table_is_refused(found: dict, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("<!-- table: beauty -->\n<!-- end -->\n")
    with pytest.raises(BrainTumorError, match="beauty") as caught:
        comparison_page.fill(card, found, {})
    assert caught.value.code is ErrorCode.DATA_INVALID


def test_the_repositorys_card_wants_only_tables_that_are_made(found: dict, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text((Path(__file__).parents[2] / "docs/MODEL_CARD.md").read_text(encoding="utf-8"), encoding="utf-8")
    comparison_page.fill(card, found, {"folds": "the folds", "ablation": "both ways"})
    assert "| `neuro` | 1,234,567 |" in card.read_text(encoding="utf-8")


def test_folds_are_listed_with_mean_and_standard_deviation(tmp_path: Path) -> None:
    assert folds_table(read_folds(tmp_path)) == "Not measured yet."
    for fold, value in ((1, 0.9), (4, 0.7)):
        _write_fold(tmp_path, fold, value)
    table = folds_table(read_folds(tmp_path))
    assert "| 4 | 500 | 40 | 0.700 |" in table
    assert "| mean ± sd | 1000 | 80 | 0.800 ± 0.141 |" in table
    assert table.endswith("| 8.0 |")


def test_the_cost_of_a_model_is_measured_in_a_process_of_its_own() -> None:
    measured = cost(find_model("lenet-binary"))
    assert measured["parameters"] == 43_961
    assert measured["peak_memory_bytes"] > 100e6  # Python with PyTorch takes more than that
    assert 0.1 < measured["milliseconds_median"] < 60_000


def test_a_fold_is_compared_with_and_without_edited_lesions_where_both_were_judged(tmp_path: Path) -> None:
    _write_fold(tmp_path, 2, 0.9)
    _write_fold(tmp_path, 5, 0.9)
    assert ablation_table(tmp_path) == "Not measured yet."
    _write_fold(tmp_path / ABLATION, 5, 0.7)
    *_, yes, no = ablation_table(tmp_path).splitlines()
    assert yes.startswith("| 5 | yes | 0.900 |")
    assert no.startswith("| 5 | no | 0.700 |")
    assert no.endswith("| 7 of 10 | 7 of 10 | 7 of 10 | 7 of 10 |")


def _write_fold(folder: Path, fold: int, value: float) -> None:
    shares = (
        *("accuracy_3", "macro_f1_3", "dice", "dice_zero"),
        *("called_tumor", "patient_accuracy", "web_auroc", "web_macro_f1_4"),
    )
    counts = ("tumor_free", "lesion_there", "lesion_taken_out", "lesion_put_in")
    figures = {"fold": fold, "slices": 500, "patients_known": 40} | dict.fromkeys(shares, value)
    figures |= {name: {"slices": 10, "called_tumor": round(10 * value)} for name in counts}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"neuro-fold-{fold}.json").write_text(json.dumps(figures))


def test_heat_map_figures_on_a_map_counted_by_hand() -> None:
    truth = np.zeros((8, 8), bool)
    truth[2:4, 2:6] = True
    heat = np.zeros((8, 8), np.float32)
    heat[2:4, 4:8] = 0.5
    heat[3, 5] = 1.0
    assert pointing(heat, truth)
    assert energy(heat, truth) == pytest.approx((3 * 0.5 + 1) / (7 * 0.5 + 1))
    assert iou_at_otsu((heat > 0).astype(np.float32), truth) == pytest.approx(4 / 12)
    heat[7, 7] = 2
    assert not pointing(heat, truth)
    assert energy(heat * 0, truth) == 0


def test_a_made_fault_is_counted_where_its_flag_is_raised(tmp_path: Path) -> None:
    rows = [r for r in read_rows(write_training_data(tmp_path)) if r.source == "cheng"][:2]
    found = how_flagged(Analyzer.open("neuro", "cpu"), rows)
    assert list(found) == [fault.title for fault in FAULTS]
    assert {"low_resolution", "blurred", "cut_off", "upside_down"} <= {each["flag"] for each in found.values()}
    small = found["head of 96 pixels"]
    assert (small["pictures"], small["flagged"]["value"]) == (2, 1.0)
    assert found["upper third of the head cut off"]["flagged_without"]["value"] == 0


def test_strangers_are_the_same_pictures_every_time(tmp_path: Path) -> None:
    once, again = list(strangers(tmp_path)), list(strangers(tmp_path))
    drawn = [kind for kind, _ in once if kind == "chart"]
    assert len(drawn) == EACH
    assert all(a[0] == b[0] and np.array_equal(a[1], b[1]) for a, b in zip(once, again, strict=True))
    assert all(pixels.ndim == 2 and min(pixels.shape) >= 16 for _, pixels in once)


def test_only_some_models_are_measured_again_and_others_keep_figures_of_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = read_manifest()
    assert "neuro" in rows
    with pytest.raises(BrainTumorError, match="no figures of neuro"):
        compare(tmp_path, tmp_path, only=[])
    stored = {name: {"figures": {"model": {"sha256": row.sha256}}} for name, row in rows.items()}
    (tmp_path / "comparison.json").write_text(json.dumps(stored), encoding="utf-8")
    newer = {"model": {"sha256": rows["neuro"].sha256}, "date": "2026-11-22"}
    (tmp_path / "neuro.json").write_text(json.dumps(newer), encoding="utf-8")
    monkeypatch.setattr(comparison_page, "write", lambda found, out: ", ".join(found))
    monkeypatch.setattr(comparison, "plot_stress", lambda *_: None)
    assert compare(tmp_path, tmp_path, only=[]) == ", ".join(rows)
    assert json.loads((tmp_path / "comparison.json").read_text())["neuro"]["figures"] == newer
    with pytest.raises(BrainTumorError) as caught:
        compare(tmp_path, tmp_path, only=["nothing"])
    assert caught.value.code is ErrorCode.MODEL_UNKNOWN
