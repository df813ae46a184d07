"""A family is the modules of its package: one more file is one more member."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any, Final

PRIVATE: Final = "_"


def names(package: ModuleType) -> list[str]:
    """The names of a family's modules, sorted, without importing them."""
    found = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in found if not name.startswith(PRIVATE))


def member(package: ModuleType, name: str, attribute: str) -> Any:
    """What the module `name` of a family ends in: its `PROVIDER`, `OP`, `CHECK` or `COMMAND`."""
    module = importlib.import_module(f"{package.__name__}.{name}")
    return getattr(module, attribute)


def members(package: ModuleType, attribute: str) -> list[Any]:
    """Every member of a family, in the order of their names."""
    return [member(package, name, attribute) for name in names(package)]


def summary(package: ModuleType, name: str) -> str:
    """The first line of a member's docstring, read without importing the member."""
    for folder in package.__path__:
        source = Path(folder, f"{name}.py")
        if source.is_file():
            return (ast.get_docstring(ast.parse(source.read_bytes())) or "").partition("\n")[0]
    return ""
