"""A family is the modules of its package: one more file is one more member."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Final

PRIVATE: Final = "_"


def names(package: ModuleType) -> list[str]:
    """The names of a family's modules, sorted, without importing them."""
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in found if not name.startswith(PRIVATE))


def member(package: ModuleType, name: str, attribute: str) -> object:
    """What the module `name` of a family ends in: its `PROVIDER`, `OP`, `CHECK` or `COMMAND`."""
    module = importlib.import_module(f"{package.__name__}.{name}")
    return getattr(module, attribute)


def members(package: ModuleType, attribute: str) -> list[object]:
    """Every member of a family, in the order of their names."""
    return [member(package, name, attribute) for name in names(package)]
