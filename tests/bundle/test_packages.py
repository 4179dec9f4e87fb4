"""Archives and the Debian package, made of a stand-in for the frozen folder: what is inside, and the same each time."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from braintumor_desktop.licences import Notice, notices
from frozen_program import faults_of_bill

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not all(shutil.which(name) for name in ("dpkg-deb", "objdump", "xz")), reason="needs dpkg-deb, binutils and xz"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the packages, of a bundle that holds one program, one library and one link."""
    bundle = tmp_path_factory.mktemp("packages") / "dist" / "braintumor"
    (bundle / "_internal").mkdir(parents=True)
    shutil.copy(os.path.realpath(sys.executable), bundle / "braintumor")
    (bundle / "_internal" / "data.txt").write_text("data\n")
    (bundle / "_internal" / "link.txt").symlink_to("data.txt")
    package(bundle)
    return bundle.parent


def package(bundle: Path) -> None:
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run([sys.executable, "shipping/package.py", bundle], cwd=ROOT, env=environment, check=True)


def test_the_debian_package_holds_program_command_menu_entry_icons_and_file_types(made: Path) -> None:
    (deb,) = made.glob("*.deb")
    listed = subprocess.run(["dpkg-deb", "--contents", deb], capture_output=True, text=True, check=True).stdout
    names = {line.split()[5]: line for line in listed.splitlines()}
    assert "./usr/bin/braintumor -> /opt/braintumor-desktop/braintumor" in listed
    assert names["./opt/braintumor-desktop/braintumor"].startswith("-rwxr-xr-x root/root")
    assert "./usr/share/applications/braintumor-desktop.desktop" in names
    assert "./usr/share/mime/packages/braintumor-desktop.xml" in names
    assert "./usr/share/icons/hicolor/48x48/apps/braintumor-desktop.png" in names
    assert all("root/root" in line for line in listed.splitlines())
    control = subprocess.run(["dpkg-deb", "--field", deb], capture_output=True, text=True, check=True).stdout
    assert "Package: braintumor-desktop\n" in control
    assert "Not for diagnosis" in control
    assert "@" not in control.replace("@localhost", "")


def test_the_portable_archive_is_one_folder_whose_checksums_hold(made: Path, tmp_path: Path) -> None:
    (archive,) = made.glob("*.tar.xz")
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", tmp_path], check=True)
    (folder,) = tmp_path.glob("braintumor-desktop-*")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    assert os.access(folder / "braintumor", os.X_OK)
    assert (folder / "_internal" / "link.txt").readlink() == Path("data.txt")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS-linux"], cwd=made, check=True)


def test_the_bill_of_materials_keeps_to_its_schema() -> None:
    sys.path.insert(0, str(ROOT / "shipping"))
    try:
        from sbom import cyclonedx
    finally:
        sys.path.pop(0)
    works = [Notice("zlib", "1.3", "see its text", "…", "pkg:deb/debian/zlib@1%3A1.3?arch=source"), *notices()]
    weights = json.loads((ROOT / "weights" / "manifest.json").read_text())["models"]
    assert faults_of_bill(cyclonedx(works, weights, "0.0.0", 1_700_000_000)) == ""
    assert faults_of_bill(cyclonedx(works, [{**weights[0], "sha256": "short"}], "0.0.0", 0)) != ""


def test_the_same_bundle_gives_the_same_bytes(made: Path) -> None:
    def sums() -> dict[str, str]:
        return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in made.iterdir() if f.is_file()}

    first = sums()
    for file in (made / "braintumor").rglob("*.txt"):
        os.utime(file, (1, 1), follow_symlinks=False)
    package(made / "braintumor")
    assert sums() == first
