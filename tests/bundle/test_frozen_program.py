"""The frozen program, in a namespace without a network, as another user, from a read-only folder, without Python."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pypdfium2 as pdfium
import pytest
from PIL import Image
from pydicom.uid import SegmentationStorage
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from braintumor_desktop import RESEARCH_USE
from braintumor_desktop.reporting.canvas import OUTLINE_COLOUR
from frozen_program import PATIENCE_S, Workstation, faults_of_bill, link_copy, workstation_of

ROOT = Path(__file__).parents[2]
CODECS = ("jpeg2000", "jpegls", "jpeglossless", "rle")


def answers(lines: str) -> list[dict[str, Any]]:
    """JSON lines without the times, which alone may differ, and with masks by their content."""
    found = [json.loads(line) for line in lines.splitlines()]
    for one in found:
        del one["timing_ms"]
        mask = (one["segmentation"] or {}).get("mask")
        if mask:
            one["segmentation"]["mask"] = hashlib.sha256(Path(mask).read_bytes()).hexdigest()
    return found


def test_it_answers_as_the_unfrozen_program_does_to_the_last_digit(workstation: Workstation, inputs: Path) -> None:
    """Picture, DICOM series, NIfTI and slices in JPEG 2000, JPEG-LS, JPEG lossless and RLE."""
    masks = workstation.home / "masks"
    frozen = workstation.run("analyze", inputs, "--json", "-", "--masks", masks)
    assert frozen.returncode == 0, frozen.stderr
    here = answers(frozen.stdout)
    shutil.rmtree(masks)
    command = [sys.executable, "-m", "braintumor_desktop", "analyze", inputs, "--json", "-", "--masks", masks]
    unfrozen = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert here == answers(unfrozen.stdout)
    assert {one["input"]["kind"] for one in here} == {"picture", "dicom", "nifti"}
    slices = [next(one for one in here if Path(one["path"]).stem == name) for name in CODECS]
    assert all(one["status"] == "ok" and one["finding"] == slices[0]["finding"] for one in slices)
    shutil.rmtree(masks)


def test_every_bundled_model_answers_as_it_does_unfrozen(workstation: Workstation, inputs: Path) -> None:
    models = [row["id"] for row in json.loads((ROOT / "weights" / "manifest.json").read_text())["models"]]
    for model in models:
        arguments = ("analyze", inputs / "phantom.png", "--json", "-", "--model", model)
        frozen = workstation.run(*arguments)
        assert frozen.returncode == 0, frozen.stderr
        command = [sys.executable, "-m", "braintumor_desktop", *arguments]
        unfrozen = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert answers(frozen.stdout) == answers(unfrozen.stdout)
        assert answers(frozen.stdout)[0]["model"]["id"] == model


def test_it_deidentifies_a_series(workstation: Workstation, inputs: Path) -> None:
    clean = workstation.home / "clean"  # like the rest of the home it may not name the patient
    done = workstation.run("deidentify", inputs / "series", clean)
    assert done.returncode == 0, done.stderr
    written = [pydicom.dcmread(path) for path in sorted(clean.rglob("*.dcm"))]
    assert {one.PatientIdentityRemoved for one in written} == {"YES"}
    given = sorted(pydicom.dcmread(path).PixelData for path in (inputs / "series").iterdir())
    assert sorted(one.PixelData for one in written) == given


def test_it_writes_reports(workstation: Workstation, inputs: Path) -> None:
    done = workstation.run("analyze", inputs / "phantom.png", "--json", workstation.home / "out.jsonl",
                           "--report", workstation.home / "report")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (pdf,) = (workstation.home / "report").glob("*.pdf")
    assert RESEARCH_USE in pdfium.PdfDocument(pdf)[0].get_textpage().get_text_bounded().replace("\r\n", " ")
    (png,) = (workstation.home / "report").glob("*.png")
    with Image.open(png) as picture:
        assert min(picture.size) > 500
        assert len(np.unique(np.asarray(picture.convert("L").resize((64, 64))))) > 20


def test_it_writes_a_dicom_segmentation_of_a_series(workstation: Workstation, inputs: Path, open_folder: Path) -> None:
    out = open_folder / "out"  # names the patient, as it must: outside the home, which must not
    out.mkdir()
    out.chmod(0o777)
    done = workstation.run("analyze", inputs / "series", "--json", "-", "--dicom", out)
    assert done.returncode == 0, done.stderr
    written = [pydicom.dcmread(path) for path in out.rglob("*.dcm")]
    (segmentation,) = [one for one in written if one.SOPClassUID == SegmentationStorage]
    assert segmentation.PatientName == "Frozen^Secretly"
    assert segmentation.pixel_array.any()


def test_the_doctor_finds_it_whole(workstation: Workstation) -> None:
    done = workstation.run("doctor", "--json")
    told = json.loads(done.stdout)
    assert told["ready"], told
    assert done.returncode == 0
    assert done.stderr == ""
    assert all(re.match(r"\d", number) for name, number in told["versions"].items() if name != "system")


def test_it_opens_no_socket_but_local_ones(workstation: Workstation, inputs: Path) -> None:
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    log = workstation.home / "calls"
    tracer = ("strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", str(log))
    done = workstation.run("analyze", inputs / "phantom.png", "--json", "-", tracer=tracer)
    assert done.returncode == 0, done.stderr
    assert calls(log) == []


def test_its_window_opens_outlines_the_lesion_and_closes(
    workstation: Workstation, inputs: Path, display: str, tmp_path: Path
) -> None:
    log = workstation.home / "calls"
    tracer = ("strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", str(log)) if shutil.which("strace") else ()
    command = workstation.command(inputs / "phantom.png", tracer=tracer, display=display)
    with (tmp_path / "said").open("wb") as said:
        window = subprocess.Popen(command, stdout=said, stderr=said, cwd="/")
    try:
        shot = screenshot_when(display, has_an_outline, tmp_path)
        keep(shot, "window")
    finally:
        interrupt(window, workstation)
    assert window.returncode == 0
    assert (tmp_path / "said").read_text() == ""
    sockets = calls(log) if tracer else []
    assert [line for line in sockets if "AF_UNIX" not in line] == []
    connected = [line for line in sockets if "connect(" in line and " = 0" in line]
    assert all("X11-unix" in line for line in connected)


@pytest.mark.parametrize("fault", ["damaged", "swapped"])
def test_other_weights_are_refused_and_the_window_still_opens(
    bundle: Path, inputs: Path, display: str, open_folder: Path, tmp_path: Path, fault: str
) -> None:
    """One flipped bit; and a whole file with weights of another training. The window speaks Hindi, to be looked at."""
    install = link_copy(bundle, open_folder / "install")
    workstation = workstation_of(install, open_folder)
    weights = install / "_internal" / "weights" / "neuro.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    other = {name: np.asarray(values + 1, values.dtype) for name, values in load_safetensors(bytes(content)).items()}
    weights.unlink()  # a hard link: the original must stay whole
    weights.write_bytes(content if fault == "damaged" else save_safetensors(other))
    settings = workstation.home / ".config" / "braintumor-desktop" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"version": 1, "language": "hi"}')
    done = workstation.run("analyze", inputs / "phantom.png", "--json", "-")
    assert done.returncode == 1
    assert "not the one it was shipped with, so it is refused" in done.stderr
    assert "[model_damaged]" in done.stderr
    assert "Traceback" not in done.stderr
    doctor = json.loads(workstation.run("doctor", "--json").stdout)
    assert not doctor["ready"]
    window = subprocess.Popen(workstation.command(display=display), stderr=subprocess.DEVNULL, cwd="/")
    try:
        keep(screenshot_when(display, lambda picture: coloured_share(picture) > 0, tmp_path), fault)
    finally:
        interrupt(window, workstation)
    assert window.returncode == 0


def test_nothing_in_it_is_under_the_gpl_or_for_development(bundle: Path) -> None:
    names = {path.name for path in (bundle / "_internal").rglob("*")}
    wrong = r"readline|libgnutls|libcups\.|_?libjpeg\.cpython|torchvision|matplotlib|WebEngine|sympy|pytest|\.pdb$"
    forbidden = re.compile(wrong)
    assert [name for name in sorted(names) if forbidden.search(name)] == []
    links = [path for path in bundle.rglob("*") if path.is_symlink()]
    assert [path.name for path in links if not path.exists()] == []


def test_the_folders_that_it_reads_ahead_hold_libraries(bundle: Path) -> None:
    folders = re.findall(r'^    "([\w/.]*)",', (ROOT / "shipping" / "launch.py").read_text(), re.M)
    assert "PySide6/Qt/lib" in folders
    assert [folder for folder in folders if not any((bundle / "_internal" / folder).glob("*.so*"))] == []


def test_every_bundled_work_has_its_licence_and_stands_in_the_bill_of_materials(bundle: Path) -> None:
    listed = json.loads((bundle / "_internal" / "licences" / "licences.json").read_text())
    assert all(notice["text"].strip() and notice["licence"] for notice in listed)
    text = (bundle / "sbom.cdx.json").read_text()
    assert faults_of_bill(text) == ""
    bill = json.loads(text)
    assert all("purl" in part for part in bill["components"] if part["name"] in ("torch", "numpy", "zlib", "Python"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    named = {part["name"] for part in bill["components"]}
    assert {notice["name"] for notice in listed} < named
    packages = {notice["name"].lower().replace("_", "-") for notice in listed}
    assert {"torch", "numpy", "pyside6-essentials", "imagecodecs", "pydicom", "python", "noto sans"} | {
        "highdicom",
        "dicom-anonymizer",
        "uharfbuzz",
        "pyinstaller bootloader",
    } <= packages
    manifest = json.loads((bundle / "_internal" / "weights" / "manifest.json").read_text())
    assert {row["id"] for row in manifest["models"]} <= named


def calls(log: Path) -> list[str]:
    """What strace wrote of calls; it also tells of signals."""
    return [line for line in log.read_text().splitlines() if "socket(" in line or "connect(" in line]


def screenshot_when(display: str, ready: Any, folder: Path) -> Image.Image:
    """Look at the display again and again until the picture is as wanted."""
    program = "import sys; from PySide6.QtGui import QGuiApplication as G; a = G([]); "
    program += "sys.exit(not a.primaryScreen().grabWindow(0).save(sys.argv[1]))"
    until = time.monotonic() + PATIENCE_S
    shot = folder / "shot.png"
    while True:
        environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        subprocess.run([sys.executable, "-c", program, shot], env=environment, check=True, capture_output=True)
        picture = Image.open(shot).convert("RGB")
        if ready(picture):
            return picture
        if time.monotonic() > until:
            keep(picture, "late")
            pytest.fail("the window did not come to show what it should")


def coloured_share(picture: Image.Image) -> float:
    """Share of pixels with a strong colour: the outline and the bars of an answer, and hardly anything before it."""
    saturation = picture.convert("HSV").getchannel("S").histogram()
    value = picture.getchannel(0).histogram()
    strong = sum(saturation[120:])
    return strong / sum(value) if sum(value[30:]) else 0.0


def has_an_outline(picture: Image.Image) -> bool:
    """Whether lines in the outline's colour go round some place of the viewer, as they do when the answer is there."""
    off = np.abs(np.asarray(picture, np.int16) - OUTLINE_COLOUR).max(axis=2)
    rows, columns = np.nonzero(off < 25)
    return len(rows) > 150 and np.ptp(rows) > 20 and np.ptp(columns) > 20


def keep(picture: Image.Image, name: str) -> None:
    """For a person to look at, where BRAINTUMOR_SHOTS names a folder."""
    folder = os.environ.get("BRAINTUMOR_SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        picture.save(Path(folder, f"frozen-{name}.png"))


def interrupt(window: subprocess.Popen[bytes], workstation: Workstation) -> None:
    """Ctrl+C, as from a terminal, to the program itself."""
    import psutil

    for process in psutil.process_iter(["exe"]):
        if process.info["exe"] == str(workstation.program):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGINT)
    window.wait(PATIENCE_S)
