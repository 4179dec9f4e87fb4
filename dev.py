#!/usr/bin/env python3
"""Run and test the program from a fresh checkout. Standard library only.

    python3 dev.py run      install into .venv, then `braintumor demo`
    python3 dev.py test     install into .venv, then every check and test
    python3 dev.py build    freeze the program: dist/braintumor, one folder that needs no Python
    python3 dev.py test-bundle    prove the frozen program: no network, no home, no Python, read-only
    python3 dev.py screenshots    take the user guide's pictures and keys from the running program
    python3 dev.py package  installers and archives of the frozen program, with their checksums

Everything lands in .venv beside this file; a second call finds it there and starts at once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "installed.sha256"

# What Qt's Linux platform plugin loads at run time, by file name and by Debian package.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
# The window scenarios need a display of their own.
DISPLAY_PROGRAMS = {"Xvfb": "xvfb", "xauth": "xauth"}
# Freezing reads what libraries link to and takes symbol tables off.
FREEZING_PROGRAMS = {"objdump": "binutils"}
PROVING_PROGRAMS = DISPLAY_PROGRAMS | {"strace": "strace", "unshare": "util-linux", "dpkg-deb": "dpkg"}
BUNDLE = ROOT / "dist" / "braintumor"
# Independent readers that the tests of written DICOM objects ask.
DICOM_PROGRAMS = {"dciodvfy": "dicom3tools", "dsrdump": "dcmtk"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="install, then show the demo")
    test = commands.add_parser("test", help="install, then run every check and test")
    test.add_argument("--quick", action="store_true", help="leave out the window scenarios")
    commands.add_parser("build", help="install, then freeze the program into dist/braintumor")
    commands.add_parser("test-bundle", help="install, then prove the frozen program")
    commands.add_parser("package", help="make installers and archives of the frozen program")
    commands.add_parser("screenshots", help="install, then take the user guide's pictures and keys anew")
    options = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    if options.command == "run":
        install(extra="", system=QT_LIBRARIES)
        return call(BIN / "braintumor", "demo")
    if options.command == "build":
        install(extra="[dev]", system=QT_LIBRARIES | FREEZING_PROGRAMS | python_library())
        return build()
    if options.command == "screenshots":
        install(extra="", system=QT_LIBRARIES)
        return call(PYTHON, "shipping/screenshots.py")
    if options.command in ("test-bundle", "package") and not BUNDLE.exists():
        sys.exit("There is no frozen program yet: run `python3 dev.py build` first.")
    if options.command == "test-bundle":
        install(extra="[dev]", system=QT_LIBRARIES | PROVING_PROGRAMS)
        say("proofs on the frozen program")
        return call(PYTHON, "-m", "pytest", "tests/bundle", "-ra", environment={"BRAINTUMOR_BUNDLE": str(BUNDLE)})
    if options.command == "package":
        install(extra="[dev]", system=QT_LIBRARIES)
        return call(PYTHON, "shipping/package.py", BUNDLE, environment=reproducible())
    install(extra="[dev]", system=QT_LIBRARIES | DISPLAY_PROGRAMS | DICOM_PROGRAMS)
    return check(quick=options.quick)


def build() -> int:
    """Freeze into dist/braintumor, the same bytes for the same commit, and print its size by part."""
    say("Freezing the program")
    steps = ("--noconfirm", "--log-level", "WARN", "--workpath", ROOT / "build", "--distpath", ROOT / "dist")
    code = call(PYTHON, "-m", "PyInstaller", *steps, "build.spec", environment=reproducible())
    return code or call(PYTHON, "shipping/size.py", BUNDLE)


def reproducible() -> dict[str, str]:
    """Dates in what is built are the commit's, sets are walked in one order, and texts read alike everywhere."""
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    fixed = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}  # texts of licences are UTF-8 where Windows expects its own too
    return fixed | {"SOURCE_DATE_EPOCH": asked.stdout.strip() or "1735689600"}


def python_library() -> dict[str, str]:
    """Debian keeps the library that a frozen program starts Python from apart from Python."""
    minor = f"3.{sys.version_info.minor}"
    debian = Path(sys.base_prefix) == Path("/usr")
    return {f"libpython{minor}.so.1.0": f"libpython{minor}"} if debian else {}


def install(extra: str, system: dict[str, str]) -> None:
    """Make .venv and put the pinned set and the package in it, unless that was done already."""
    install_system(system)
    project = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    fingerprint = hashlib.sha256(project).hexdigest()
    installed = STAMP.read_text() if STAMP.exists() else ""
    if PYTHON.exists() and installed in (f"{fingerprint}[dev]", f"{fingerprint}{extra}"):
        return
    if not PYTHON.exists():
        say("Making .venv")
        try:
            venv.create(VENV, with_pip=True, clear=VENV.exists())
        except subprocess.CalledProcessError:  # Debian ships venv apart from Python
            shutil.rmtree(VENV, ignore_errors=True)
            install_packages(["python3-venv"])
            venv.create(VENV, with_pip=True)
    say("Installing the pinned packages (a few minutes the first time)")
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", ROOT / "constraints.txt"]
    if call(*pip, "torch==2.13.0", "-e", f"{ROOT}{extra}") != 0:
        sys.exit("The packages could not be installed; the lines above say why.")
    STAMP.write_text(f"{fingerprint}{extra}")


def install_system(wanted: dict[str, str]) -> None:
    """Install the missing system libraries and programs with apt, or say which command does."""
    if not sys.platform.startswith("linux"):
        return
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    missing = [
        package
        for name, package in wanted.items()
        if not (shutil.which(name) if ".so" not in name else f"\t{name} " in cache)
    ]
    if missing:
        install_packages(missing)


def install_packages(packages: list[str]) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        say(f"Missing system packages (Debian's names): {' '.join(packages)}")
        return
    if os.geteuid() != 0:
        sys.exit("Some system libraries are missing. Install them, then run this again:\n  sudo " + " ".join(command))
    say(f"Installing system packages: {' '.join(packages)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
    if subprocess.run([*command, "-qq"], check=False, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
        sys.exit("The system packages could not be installed; the lines above say why.")


def check(*, quick: bool) -> int:
    """Every check and test; the first failure is told, the rest still run."""
    offscreen = {"QT_QPA_PLATFORM": "offscreen"}
    steps: list[tuple[str, list[object], dict[str, str]]] = [
        ("ruff check", [BIN / "ruff", "check", "."], {}),
        ("ruff format", [BIN / "ruff", "format", "--check", "."], {}),
        ("mypy --strict", [BIN / "mypy"], {}),
        ("import contracts", [BIN / "lint-imports"], {}),
        ("tests", [PYTHON, "-m", "pytest", "-m", "not scenario"], offscreen),
    ]
    if not quick:
        screen = ["xvfb-run", "-a", "-s", "-screen 0 1920x1080x24"] if shutil.which("xvfb-run") else []
        steps.append(
            ("window scenarios", [*screen, PYTHON, "-m", "pytest", "-m", "scenario"], {"QT_QPA_PLATFORM": "xcb"})
        )
    failed = []
    with tempfile.TemporaryDirectory(prefix="braintumor-test-") as config:
        for title, command, environment in steps:
            say(title)
            if call(*command, environment=environment | {"BRAINTUMOR_CONFIG_DIR": config}) != 0:
                failed.append(title)
    say("All checks passed" if not failed else f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def call(*command: object, environment: dict[str, str] | None = None) -> int:
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=os.environ | (environment or {}), check=False
    ).returncode


def say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
