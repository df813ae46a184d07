"""Families: packages in which one more module is one more member.

A family names the attribute that its members end in, and the modules of its package
that are not members. Members are imported when they are asked for.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

Member = TypeVar("Member")


@dataclass(frozen=True)
class Family(Generic[Member]):
    """The members of one package, by the names of their modules."""

    package: str
    attribute: str
    """What a member's module ends in: `PROVIDER`, `OP`, `CHECK`, `COMMAND` and so on."""
    besides: frozenset[str] = frozenset()
    """Modules of the package that the members share; they are not members."""

    @property
    def names(self) -> list[str]:
        """The names of the members' modules, sorted, without importing them."""
        modules = pkgutil.iter_modules(importlib.import_module(self.package).__path__)
        return sorted({module.name for module in modules} - self.besides)

    def member(self, name: str) -> Member:
        """The member in the module `name`."""
        module = importlib.import_module(f"{self.package}.{name}")
        member: Member = getattr(module, self.attribute)
        return member

    def members(self) -> list[Member]:
        """Every member, in the order of their modules' names."""
        return [self.member(name) for name in self.names]

    def summary(self, name: str) -> str:
        """The first line of a member's docstring, read without importing the member."""
        for folder in importlib.import_module(self.package).__path__:
            source = Path(folder, f"{name}.py")
            if source.is_file():
                return (ast.get_docstring(ast.parse(source.read_bytes())) or "").partition("\n")[0]
        return ""
