"""Families: packages in which one more module is one more member.

A family names the attribute that its members end in, and the modules of its package
that are not members. Members are imported when they are asked for.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

Member = TypeVar("Member")


@dataclass(frozen=True)
class Family(Mapping[str, Member], Generic[Member]):
    """The members of one package by name: that of the module, with `-` for `_`.

    Looking a member up imports its module and no other one; names are known
    without importing any.
    """

    package: str
    attribute: str
    """What a member's module ends in: `PROVIDER`, `OP`, `CHECK`, `COMMAND` and so on."""
    besides: frozenset[str] = frozenset()
    """Modules of the package that the members share; they are not members."""

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
        for folder in self._folders:
            source = Path(folder, f"{self._modules.get(name, name)}.py")
            if source.is_file():
                return (ast.get_docstring(ast.parse(source.read_bytes())) or "").partition("\n")[0]
        return ""


@cache
def _member(package: str, module: str, attribute: str) -> Any:
    """What a module of a package ends in; imported once."""
    return getattr(importlib.import_module(f"{package}.{module}"), attribute)


@cache
def _modules(folders: tuple[str, ...], besides: frozenset[str]) -> Mapping[str, str]:
    """The modules in some folders, `besides` excepted, by the names of members; listed once."""
    modules = sorted({module.name for module in pkgutil.iter_modules(folders)} - besides)
    return {module.replace("_", "-"): module for module in modules}
