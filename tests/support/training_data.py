"""Training pictures of synthetic heads, in the layout of the real data folder."""

import csv
from pathlib import Path

import cv2
import nibabel
import numpy as np


def head(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:size, :size] / size - 0.5
    brain = (y**2 + x**2 < 0.16) * (0.5 + 0.05 * rng.standard_normal((size, size)))
    cy, cx = rng.uniform(-0.15, 0.15, 2)
    lesion = (y - cy) ** 2 + (x - cx) ** 2 < 0.004
    return np.clip(brain + 0.4 * lesion, 0, 1).astype(np.float32), lesion.astype(np.float32)


def write_training_data(folder: Path) -> Path:
    """A small data folder of the layout of the real one, of synthetic heads; returns `folder`."""
    rng = np.random.default_rng(0)
    for name, labels in (("cheng", ["glioma", "meningioma", "pituitary"]), ("web", ["no_tumor", "tumor"])):
        part = folder / name
        (part / "images").mkdir(parents=True)
        (part / "masks").mkdir()
        rows = []
        for k in range(12):
            picture, lesion = head(96, rng)
            label = labels[k % len(labels)]
            if label == "no_tumor":
                picture = picture - 0.4 * lesion
            cv2.imwrite(str(part / f"images/{k}.png"), (picture * 255).astype(np.uint8))
            cv2.imwrite(str(part / f"masks/{k}.png"), (lesion * 255).astype(np.uint8))
            split = "val" if k >= 8 else "train"
            if name == "cheng":
                rows.append([f"images/{k}.png", f"masks/{k}.png", label, f"p{k}", 1 + k % 5, split])
            else:
                rows.append(
                    [
                        f"images/{k}.png",
                        label,
                        f"g{k}",
                        split,
                        "sartaj",
                        "0.5 0.5 0.4 0.4" if label == "tumor" else "",
                        "",
                    ]
                )
        header = (
            ["file", "mask", "label", "patient", "official_fold", "split"]
            if name == "cheng"
            else ["file", "label", "group", "split", "source", "boxes", "mask"]
        )
        with (part / "index.csv").open("w", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    return folder


def write_tumour_free_volume(data: Path) -> None:
    """A held-out head of 16 slices in each plane, bright on the patient's left, stored from right to left."""
    left, front, top = np.mgrid[-7.5:8, -7.5:8, -7.5:8]
    head = (left**2 + front**2 + top**2 < 49) * np.where(left > 2, 300.0, 100.0)
    folder = data / "volumes"
    folder.mkdir()
    image = nibabel.Nifti1Image(head.astype(np.float32), np.diag([-12.0, 12, 12, 1]))
    nibabel.save(image, folder / "patient12_T1.nii.gz")
