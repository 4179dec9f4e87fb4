"""What PyInstaller takes of torch: what inference needs, instead of all of it (the usual hook's choice, 700 MB).

Modules are those that `import torch` itself loads, and what these name in their imports; without the compiler
(`_inductor`, `_dynamo`, `onnx` and the packages under them), which nothing here calls.
"""

import re
import sys
from pathlib import Path

from PyInstaller import isolated
from PyInstaller.utils.hooks import get_package_paths, logger


@isolated.decorate
def _loaded():
    import sys

    import torch  # noqa: F401

    return sorted(
        name
        for name in sys.modules
        if name.split(".")[0] in ("torch", "torchgen") and ".py" in (getattr(sys.modules[name], "__file__", None) or "")
    )


hiddenimports = _loaded()
excludedimports = ["torch._inductor", "torch._dynamo", "torch.onnx", "torch.utils.tensorboard", "torch.utils.benchmark"]
# Work over several machines, quantisation, and what prepares a network for the compiler: `import torch` loads a part of
# these, which stays, and only what nothing here calls would load the rest, 3 MB once compressed.
_LOADED_ALONE = ("torch.distributed", "torch.ao", "torch._functorch", "torch._export", "torch.export", "torch._vendor")

# Some modules read their own source when they are imported: the settings modules (`install_config_module`) and those
# with functions that TorchScript overloads. These need it beside their bytecode.
_READ_THEMSELVES = re.compile(
    r"^\s*(install_config_module\(|@[\w.]*_overload|\w+ = boolean_dispatch\(|@torch\.jit\.script)", re.M
)
module_collection_mode = {"torch": "pyz"}

base, folder = get_package_paths("torch")


def _never_loaded():
    files = (file for package in _LOADED_ALONE for file in Path(base, *package.split(".")).rglob("*.py"))
    names = {".".join(file.relative_to(base).with_suffix("").parts).removesuffix(".__init__") for file in files}
    return sorted(names - set(hiddenimports))


excludedimports += _never_loaded()


def _needs_source(name):
    file = Path(base, *name.split(".")).with_suffix(".py")  # a package's own would take all below it along
    return file.exists() and bool(_READ_THEMSELVES.search(file.read_text(encoding="utf-8")))


_sources = [name for name in hiddenimports if _needs_source(name)]
module_collection_mode |= dict.fromkeys(_sources, "pyz+py")
logger.info("hook-torch: %d modules, %d of them with their source", len(hiddenimports), len(_sources))


def _libraries():
    wanted = ("c10", "torch", "torch_cpu", "torch_python", "torch_global_deps", "shm", "gomp", "iomp5", "omp")
    found = []
    for file in sorted(Path(folder, "lib").iterdir()):
        plain = file.name.split(".")[0].split("-")[0]
        plain = plain if sys.platform == "win32" else plain.removeprefix("lib")
        windows_extra = sys.platform == "win32" and file.suffix == ".dll"
        if (plain in wanted and file.suffix not in (".a", ".lib", ".h")) or windows_extra:
            found.append((str(file), "torch/lib"))
    # `import torch` gives its path to the library and fails without it.
    found += [(str(file), "torch/bin") for file in sorted(Path(folder, "bin").glob("torch_shm_manager*"))]
    return found


binaries = _libraries()
datas = []
# Links at the top of the bundle would make torch look for its libraries there.
bindepend_symlink_suppression = ["**/torch/lib/*.so*"]
