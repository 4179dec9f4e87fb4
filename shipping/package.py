"""Installers and archives of the frozen program, with their checksums: `python shipping/package.py dist/braintumor`.

Linux: a portable .tar.xz and a .deb. Windows: a portable .zip and, where Inno Setup is, its installer. macOS: a .dmg.
Names, owners, dates and order inside are the same for the same bundle, so the archives are the same to the bit.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from draw_icons import draw
from sbom import sha256_sums
from sections import write_archive

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from braintumor_desktop import __version__

LINUX = ROOT / "shipping" / "linux"
MADE_AT = int(os.environ["SOURCE_DATE_EPOCH"])


def main(bundle: Path) -> None:
    out = bundle.parent
    (bundle / "SHA256SUMS").unlink(missing_ok=True)
    (bundle / "SHA256SUMS").write_text(sha256_sums(bundle))
    for path in [bundle, *bundle.rglob("*")]:
        if not path.is_symlink():
            os.utime(path, (MADE_AT, MADE_AT))
    if sys.platform == "win32":
        made = [portable_zip(bundle, out), *windows_installer(out)]
    elif sys.platform == "darwin":
        made = [disk_image(out)]
    else:
        made = [portable_archive(bundle, out), debian_package(bundle, out)]
    lines = []
    for file in made:
        with file.open("rb") as stream:
            lines.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {file.name}\n")
        print(f"{file.stat().st_size / 1e6:8.1f} MB  {file.name}")
    (out / f"SHA256SUMS-{sys.platform}").write_text("".join(lines))


def portable_archive(bundle: Path, out: Path) -> Path:
    """One folder in a .tar.xz."""
    made = out / f"braintumor-desktop-{__version__}-linux-{machine()}.tar.xz"
    sizes = write_archive(bundle, made, f"braintumor-desktop-{__version__}", MADE_AT)
    for section, (before, after) in sizes.items():
        print(f"{before / 1e6:8.1f} MB are {after / 1e6:.1f} MB packed: {section}")
    return made


def debian_package(bundle: Path, out: Path) -> Path:
    """Installs below /opt, with a command, a menu entry, an icon and file types."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[machine()]
    made = out / f"braintumor-desktop_{__version__}_{architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="braintumor-deb-", dir=out) as temporary:
        tree = Path(temporary) / "tree"
        program = tree / "opt" / "braintumor-desktop"
        shutil.copytree(bundle, program, symlinks=True, copy_function=_link)
        share = tree / "usr" / "share"
        _place(LINUX / "braintumor-desktop.desktop", share / "applications")
        _place(LINUX / "braintumor-desktop.xml", share / "mime" / "packages")
        icons = draw(Path(temporary) / "icons")
        for size, picture in icons.items():
            _place(picture, share / "icons" / "hicolor" / f"{size}x{size}" / "apps", "braintumor-desktop.png")
        vector = ROOT / "resources" / "icons" / "braintumor.svg"
        _place(vector, share / "icons" / "hicolor" / "scalable" / "apps", "braintumor-desktop.svg")
        _place(ROOT / "LICENSE", share / "doc" / "braintumor-desktop", "copyright")
        (tree / "usr" / "bin").mkdir()
        (tree / "usr" / "bin" / "braintumor").symlink_to("/opt/braintumor-desktop/braintumor")
        control = tree / "DEBIAN"
        control.mkdir()
        size = sum(f.stat().st_size for f in tree.rglob("*") if f.is_file() and not f.is_symlink()) // 1024
        values = {"VERSION": __version__, "ARCHITECTURE": architecture, "SIZE_KIB": str(size), "GLIBC": glibc(bundle)}
        text = (LINUX / "control").read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        (control / "control").write_text(text)
        for script in ("postinst", "postrm"):
            _place(LINUX / script, control)
            (control / script).chmod(0o755)
        for path in [tree, *tree.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
            os.utime(path, (MADE_AT, MADE_AT), follow_symlinks=False)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "-z9", "-Sextreme", "--threads-max=1", "--build", tree, made],
            env=os.environ | {"SOURCE_DATE_EPOCH": str(MADE_AT)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return made


def glibc(bundle: Path) -> str:
    """The newest version of the C library that anything in the bundle asks for."""
    newest = (2, 17)
    libraries = [path for path in bundle.rglob("*") if ".so" in path.name or path == bundle / "braintumor"]
    for library in libraries:
        told = subprocess.run(["objdump", "-T", library], capture_output=True, text=True, check=False).stdout
        newest = max([newest, *((int(a), int(b)) for a, b in re.findall(r"GLIBC_(\d+)\.(\d+)", told))])
    return ".".join(str(number) for number in newest)


def portable_zip(bundle: Path, out: Path) -> Path:
    made = out / f"braintumor-desktop-{__version__}-windows-x86_64.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(path for path in bundle.rglob("*") if path.is_file()):
            archive.write(file, Path(f"braintumor-desktop-{__version__}", file.relative_to(bundle)))
    return made


def windows_installer(out: Path) -> list[Path]:
    places = (os.environ.get(name) for name in ("PROGRAMFILES", "PROGRAMFILES(X86)"))
    usual = [found for place in places if place for found in sorted(Path(place).glob("Inno Setup */ISCC.exe"))]
    compiler = shutil.which("iscc") or (usual[-1] if usual else None)
    if compiler is None:
        print("Inno Setup is not installed: no installer is made.")
        return []
    subprocess.run(
        [compiler, "/Q", f"/DVersion={__version__}", "shipping/windows/braintumor.iss"], cwd=ROOT, check=True
    )
    return [out / f"braintumor-desktop-{__version__}-setup.exe"]


def disk_image(out: Path) -> Path:
    """The .app beside a link to Applications and the licences."""
    made = out / f"braintumor-desktop-{__version__}-macos-{machine()}.dmg"
    with tempfile.TemporaryDirectory(prefix="braintumor-dmg-") as temporary:
        app = out / "Brain Tumour MRI.app"
        shutil.copytree(app, Path(temporary, app.name), symlinks=True)
        Path(temporary, "Applications").symlink_to("/Applications")
        for text in ("LICENSE.txt", "THIRD-PARTY-LICENCES.txt", "sbom.cdx.json"):
            shutil.copyfile(out / "braintumor" / text, Path(temporary, text))
        options = ["-volname", "Brain Tumour MRI", "-format", "ULMO", "-ov"]
        subprocess.run(["hdiutil", "create", *options, "-srcfolder", temporary, made], check=True)
    return made


def machine() -> str:
    return platform.machine()


def _place(file: Path, folder: Path, name: str | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, folder / (name or file.name))
    (folder / (name or file.name)).chmod(0o644)


def _link(source: str, target: str) -> str:
    os.link(source, target)
    return target


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
