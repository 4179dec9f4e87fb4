"""Large libraries that the first window does without: mapped when something of them is first asked for."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any


class Deferred(ModuleType):
    """Stands for a module from its first import on, and becomes like it when an attribute is asked for.

    From then on what the module has is looked up in it directly, as in any module. Threads may ask at once: one
    imports, the others wait.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = importlib.util.find_spec(name)
        self._importing = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by those who look through all modules, as Qt's does at every import
            raise AttributeError(name)
        with self._importing:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
                self.__dict__.update(importlib.import_module(self.__name__).__dict__)
        return getattr(sys.modules[self.__name__], name)


def defer(name: str) -> None:
    """Put off the import of a module that is not imported yet."""
    if name not in sys.modules:
        sys.modules[name] = Deferred(name)
