"""Whose work is in the bundle, by the files that went in: Python packages, system libraries, Python and PyInstaller."""

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from urllib.parse import quote

from braintumor_desktop.licences import Notice, licence_text, own_parts, stated_licence

HERE = Path(__file__).resolve().parent
BUILDS_ONLY = ("braintumor-desktop", "pyinstaller", "pyinstaller-hooks-contrib")
QT_TEXTS = ("LGPL-3.0.txt", "GPL-3.0.txt", "Qt-third-party.txt")
LGPL = "Qt and the other libraries under the LGPL are separate files in this folder and may be replaced by others."


def packages_of(sources: set[str]) -> list[Distribution]:
    """The installed distributions that any of these files belongs to, by name."""
    found = {}
    for package in distributions():
        name = package.metadata["Name"].lower()
        if name not in BUILDS_ONLY and any(os.path.normpath(package.locate_file(f)) in sources for f in package.files):
            found[name] = package
    return [found[name] for name in sorted(found)]


def python_notices(packages: list[Distribution]) -> list[Notice]:
    found = []
    for package in packages:
        text = licence_text(package)
        licence = stated_licence(package)
        if package.metadata["Name"] == "imagecodecs":  # of its many codecs two are bundled; their texts lie elsewhere
            folder = Path(package.locate_file("imagecodecs"), "licenses")
            wanted = ("LICENSE-libjpeg-turbo", "LICENSE-charls")
            text += "\n\n".join(["", *(f"{name}\n\n{(folder / name).read_text()}" for name in wanted)])
        if not text and "LGPL-3.0" in licence:  # Qt's packages state their licence and don't bring its text
            text = "\n\n".join((HERE / "licences" / name).read_text() for name in QT_TEXTS)
        name, version = package.metadata["Name"], package.version
        found.append(Notice(name, version, licence, text, f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}"))
    return found


def system_notices(libraries: set[Path]) -> list[Notice]:
    """The Debian source packages of shared libraries, each with Debian's file on its copyright; none without dpkg."""
    if not shutil.which("dpkg-query"):
        return []
    found = {}
    system = platform.freedesktop_os_release()["ID"]
    for library in sorted({library.resolve() for library in libraries}):
        names = {library, Path("/", *library.parts[2:])}  # since /usr was merged a file is recorded under either name
        for name in sorted(names):
            asked = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True, check=False)
            if asked.returncode == 0:
                package = asked.stdout.split(":")[0]
                form = "${source:Package} ${source:Version}"
                command = ["dpkg-query", "-W", "-f", form, package]
                source, version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
                text = Path("/usr/share/doc", package, "copyright").read_text(errors="replace")
                purl = f"pkg:deb/{system}/{quote(source)}@{quote(version, safe='')}?arch=source"
                found[source] = Notice(source, version, "see its text", text, purl)
                break
        else:
            raise SystemExit(f"no package is known that {library} belongs to, so its licence is not known")
    return list(found.values())


def runtime_notices() -> list[Notice]:
    """Python with its standard library, and the program that PyInstaller puts before it."""
    places = (Path(os.__file__).with_name("LICENSE.txt"), Path(sys.base_prefix, "LICENSE.txt"))
    debian = Path(f"/usr/share/doc/python3.{sys.version_info.minor}/copyright")
    text = next((place.read_text() for place in (*places, debian) if place.exists()), "")
    loader = distribution("pyinstaller")
    version = sys.version.split()[0]
    licence = "GPL-2.0-or-later WITH Bootloader-exception"
    purl = f"pkg:pypi/pyinstaller@{loader.version}"
    return [
        Notice("Python", version, "PSF-2.0", text, f"pkg:generic/python@{version}"),
        Notice("PyInstaller bootloader", loader.version, licence, licence_text(loader), purl),
    ]


def all_notices(toc: list[tuple[str, str, str]]) -> list[Notice]:
    """Of everything in PyInstaller's list of (name, source, type)."""
    sources = {os.path.normpath(source) for _name, source, kind in toc if source and kind != "SYMLINK"}
    packages = packages_of(sources)
    system = {Path(source) for _name, source, kind in toc if kind == "BINARY" and source.startswith(("/usr/", "/lib"))}
    found = [*python_notices(packages), *system_notices(system), *runtime_notices(), *own_parts()]
    without = [notice.name for notice in found if not notice.text.strip()]
    if without:
        raise SystemExit(f"no licence text was found of: {', '.join(without)}")
    return sorted(found, key=lambda notice: notice.name.lower())


def plain_text(notices: list[Notice]) -> str:
    """All of them for a reader of the folder."""
    blocks = [f"{n.name} {n.version}".rstrip() + f"\nLicence: {n.licence}\n\n{n.text.strip()}\n" for n in notices]
    return f"What this program is made of\n\n{LGPL}\n\n" + f"\n{'=' * 100}\n".join(["", *blocks])
