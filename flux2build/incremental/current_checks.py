"""Enters the options that a spec gives its checks after an edit in a baseline."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from flux2build.assetspec import check_options
from flux2build.assetspec.faults import Faults
from flux2build.assetspec.part import Part
from flux2build.assetspec.prompts import is_template
from flux2build.checks import CHECKS
from flux2build.incremental.baseline import Baseline, Contents
from flux2build.incremental.names_in_brief import named
from flux2build.tables.table import Table

_SILENT: Final = "off"
_BESIDE: Final = frozenset({"severity", "required"})
"""Options that do not change the findings; assets that need an approval are judged anyway."""


def enter_checks(contents: Contents, part: Part, names: Collection[str]) -> bool:
    """Enter the current options of some checks; return whether that is sound.

    If a check may find more than before, no findings of any check are known.
    """
    options = _options(part, names)
    if options is None or not _can_be_named(contents, part):
        return False
    severities = {name: each.model_dump()["severity"] for name, each in options.items()}
    subjects = {name: about for name, about in contents["subjects"].items() if name not in names}
    on = (name for name, severity in severities.items() if severity != _SILENT)
    subjects |= {name: CHECKS[name].subject.value for name in on}
    contents["subjects"] = {name: subjects[name] for name in CHECKS if name in subjects}
    if (before := contents["checks"]) is None:
        return True
    if all(_finds_no_more(before.get(name) or _usual(name), options[name]) for name in names):
        dumped = {name: each.model_dump() for name, each in options.items()}
        written = part.reader.tables.checks
        contents["checks"] = {name: dumped.get(name) or before[name] for name in written}
    else:
        contents["checks"] = None
    return True


def _options(part: Part, names: Collection[str]) -> Mapping[str, Table] | None:
    """The options of some checks; None if they are wrong, or made of templates."""
    reader, faults = part.reader, Faults()
    capabilities, texts = part.reading.resolver.capabilities.checks, part.reading.texts
    written = {name: reader.tables.checks[name] for name in names & reader.tables.checks.keys()}
    if is_template(json.dumps(written)):
        return None
    options = check_options.options(written, capabilities, texts, reader.tables.vars, faults)
    if faults.assets or not CHECKS.keys() >= set(names):
        return None
    return {name: options.get(name) or CHECKS[name].options.model_construct() for name in names}


def _can_be_named(contents: Contents, part: Part) -> bool:
    """Whether names alone tell which assets the checks exclude."""
    return all(named(Baseline(contents), words) is not None for words in _excluded(part))


def _excluded(part: Part) -> Iterator[list[str]]:
    for options in part.reader.tables.checks.values():
        if isinstance(options, Mapping) and options.get("exclude"):
            yield options["exclude"]


def _usual(name: str) -> Mapping[str, Any]:
    return CHECKS[name].options.model_construct().model_dump()


def _finds_no_more(before: Mapping[str, Any], now: Table) -> bool:
    """Whether a check has the same findings as before, or none, with any severity."""
    options = now.model_dump()
    if options["severity"] == _SILENT:
        return True
    others = ({key: each[key] for key in each.keys() - _BESIDE} for each in (before, options))
    return before["severity"] != _SILENT and next(others) == next(others)
