"""Run the frozen program as a clinic's workstation would at its worst: no network, no Python, nothing to write to."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

NOBODY = 65534
PATIENCE_S = 300


@dataclass(frozen=True)
class Workstation:
    """install: the folder of the frozen program, mounted read-only; home: the user's, with `tmp` inside; all of the
    program's own doings stay in it.
    """

    install: Path
    home: Path

    @property
    def program(self) -> Path:
        return self.install / "braintumor"

    @property
    def temporary(self) -> Path:
        return self.home / "tmp"

    def command(self, *arguments: object, tracer: tuple[str, ...] = (), display: str | None = None) -> list[str]:
        """A command line that runs the program in a namespace without a network, as a user without rights.

        As root another user is taken; an ordinary user becomes one without rights by way of a user namespace.
        """
        environment = {"HOME": self.home, "TMPDIR": self.temporary, "PATH": "/nowhere", "LANG": "C.UTF-8"}
        environment |= {"DISPLAY": display} if display else {"QT_QPA_PLATFORM": "offscreen"}
        drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        clean = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        install = shlex.quote(str(self.install))
        prepare = f"mount --bind {install} {install} && mount -o remount,bind,ro {install} && "
        inner = [*drop, *(shutil.which(part) or part for part in tracer[:1]), *tracer[1:], *clean, str(self.program)]
        script = prepare + "exec " + shlex.join([*inner, *(str(argument) for argument in arguments)])
        return ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net", "--mount", "sh", "-c", script]

    def run(self, *arguments: object, tracer: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments, tracer=tracer)
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd="/")

    def leftovers(self) -> list[str]:
        """Processes of the program that still run, and temporary files."""
        running = [p.info["exe"] for p in psutil.process_iter(["exe"]) if str(self.program) == p.info["exe"]]
        return running + [str(path) for path in self.temporary.iterdir()]

    def mentions(self, secret: bytes) -> list[Path]:
        """Files below the home folder, temporary ones included, that hold these bytes in name or content."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return [f for f in files if secret in f.read_bytes() or secret in os.fsencode(f.relative_to(self.home))]


def workstation_of(install: Path, folder: Path) -> Workstation:
    """With an empty home in this folder, which everyone must be able to pass through."""
    home = folder / "home"
    (home / "tmp").mkdir(parents=True)
    for path in (home, home / "tmp"):
        path.chmod(0o777)
    return Workstation(install, home)


def isolation_is_allowed() -> bool:
    """Whether this machine lets us make namespaces at all; containers often don't."""
    if not sys.platform.startswith("linux") or not shutil.which("unshare"):
        return False
    unprivileged = [] if os.geteuid() == 0 else ["--map-root-user"]
    return subprocess.run(["unshare", *unprivileged, "--net", "--mount", "true"], check=False).returncode == 0


def faults_of_bill(bill: str) -> str:
    """What an independent validator of CycloneDX 1.6 has against a bill of materials; empty where nothing."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)
    return "" if fault is None else str(fault)


def link_copy(source: Path, target: Path) -> Path:
    """A copy of a folder whose files take no room of their own: replace them there, don't change them."""

    def link(one: str, other: str) -> str:
        try:
            os.link(one, other)
        except OSError:  # another file system
            shutil.copy2(one, other)
        return other

    shutil.copytree(source, target, symlinks=True, copy_function=link)
    return target
