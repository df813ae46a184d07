"""Families: packages in which one more module is one more member.

A family names the attribute that its members end in, and the modules of its package
that are not members. Members are imported when they are asked for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import Any, Generic, TypeVar

Member = TypeVar("Member")


class Family(Mapping[str, Member], Generic[Member]):
    """The members of one package by name: that of the module, with `-` for `_`.

    Looking a member up imports its module and no other one; names are known
    without importing any.
    """

    def __init__(self, package: str, attribute: str, besides: frozenset[str] = frozenset()) -> None:
        """The family of a package, `besides` some modules that its members share.

        A member's module ends in the `attribute`: `PROVIDER`, `OP`, `CHECK`, `COMMAND` and so on.
        """
        self.package, self.attribute, self.besides = package, attribute, besides

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @property
    def _folders(self) -> tuple[str, ...]:
        """Where the package lies."""
        package = sys.modules.get(self.package) or importlib.import_module(self.package)
        return tuple(package.__path__)

    @property
    def _modules(self) -> Mapping[str, str]:
        """The members' modules by the members' names, sorted."""
        return _modules(self._folders, self.besides)

    def __getitem__(self, name: str) -> Member:
        """The member of that name."""
        member: Member = _member(self.package, self._modules[name], self.attribute)
        return member

    def __contains__(self, name: object) -> bool:
        """Whether there is such a member, without importing it."""
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        """The names of the members, sorted, without importing them."""
        return iter(self._modules)

    def __len__(self) -> int:
        """How many members there are, without importing them."""
        return len(self._modules)

    def summary(self, name: str) -> str:
        """The first line of a member's docstring, read without importing the member."""
        import ast

        for folder in self._folders:
            source = Path(folder, f"{self._modules.get(name, name)}.py")
            if source.is_file():
                return (ast.get_docstring(ast.parse(source.read_bytes())) or "").partition("\n")[0]
        return ""


@cache
def _member(package: str, module: str, attribute: str) -> Any:
    """The member at the end of a module, which is imported once."""
    return getattr(importlib.import_module(f"{package}.{module}"), attribute)


@cache
def _modules(folders: tuple[str, ...], besides: frozenset[str]) -> Mapping[str, str]:
    """The modules in some folders, `besides` excepted, by the names of members; listed once."""
    modules = sorted({name for folder in folders for name in _in_folder(Path(folder))} - besides)
    return {module.replace("_", "-"): module for module in modules}


def _in_folder(folder: Path) -> Iterator[str]:
    """The names of the modules in a folder, or in a part of a zip file."""
    if not folder.is_dir():
        import pkgutil

        yield from (module.name for module in pkgutil.iter_modules([str(folder)]))
        return
    for entry in folder.iterdir():
        stem, dot, suffix = entry.name.partition(".")
        module = f".{suffix}" in all_suffixes() if dot else (entry / "__init__.py").is_file()
        if module and stem != "__init__":
            yield stem
