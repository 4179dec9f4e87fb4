"""Shared libraries from a few lines of assembly, with the assembler and linker of binutils alone."""

import subprocess
from pathlib import Path


def shared_library(made: Path, code: str, versions: str = "") -> Path:
    """Assemble and link `made`, whose name is what others link to. versions: a linker's version script, or empty."""
    made.parent.mkdir(parents=True, exist_ok=True)
    source, binary, script = (made.with_name(f"{made.name}.{ending}") for ending in ("s", "o", "map"))
    source.write_text(f'.section .note.GNU-stack,"",@progbits\n{code}')
    script.write_text(versions)
    # By names relative to the folder, so that where the project lies is not told in what is made.
    subprocess.run(["as", "-o", binary.name, source.name], cwd=made.parent, check=True)
    link = ["ld", "-shared", "-s", "-z", "noexecstack", "--build-id=none", "-soname", made.name]
    wanted = [f"--version-script={script.name}"] if versions else []
    subprocess.run([*link, *wanted, "-o", made.name, binary.name], cwd=made.parent, check=True)
    return made
