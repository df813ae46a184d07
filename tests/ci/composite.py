"""Runs the steps of a composite action, as far as a runner of GitHub is needed for that."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_TERM: Final = re.compile(r"(!?)\s*([\w.-]+(?:\(\))?|'[^']*')(?:\s*(==|!=)\s*'([^']*)')?")


class Composite:
    """An action whose `run` steps are carried out one by one; what it `uses` is left out."""

    def __init__(self, file: Path, known: Mapping[str, str], inputs: Mapping[str, str]) -> None:
        """`known` has the values of expressions that the action does not set itself."""
        self._action: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
        given = {
            name: str(each.get("default", "")) for name, each in self._action["inputs"].items()
        }
        assert set(inputs) <= set(given)
        self._values = {f"inputs.{name}": self._said(text, known) for name, text in given.items()}
        self._values |= {f"inputs.{name}": text for name, text in inputs.items()}
        self._values |= known
        self.failed = False
        self._skipped: set[str] = set()

    def skip(self, step: str, outputs: Mapping[str, str]) -> None:
        """Leave a step out, and take these outputs for its own."""
        self._skipped.add(step)
        self._values |= {f"steps.{step}.outputs.{name}": text for name, text in outputs.items()}

    def run(self, folder: Path, runner: Path, environment: Mapping[str, str]) -> dict[str, str]:
        """Carry out the steps; return what each that ran has printed."""
        printed = {}
        for step in self._action["runs"]["steps"]:
            if (
                "run" in step
                and step["id"] not in self._skipped
                and self._due(step.get("if", "${{ success() }}"))
            ):
                printed[step["id"]] = self._ran(step, folder, runner, environment)
        return printed

    def output(self, name: str) -> str:
        """An output of the action."""
        return self._said(self._action["outputs"][name]["value"], self._values)

    def _ran(self, step: Any, folder: Path, runner: Path, environment: Mapping[str, str]) -> str:
        told, summary = runner / "output", runner / "summary.md"
        told.write_bytes(b"")
        own = {name: self._said(str(text), self._values) for name, text in step["env"].items()}
        files = {"GITHUB_OUTPUT": str(told), "GITHUB_STEP_SUMMARY": str(summary)}
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            env={**os.environ, "RUNNER_TEMP": str(runner), **files, **environment, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        self.failed = self.failed or ran.returncode != 0
        for line in told.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            self._values[f"steps.{step['id']}.outputs.{name}"] = value
        return ran.stdout + ran.stderr

    def _due(self, condition: str) -> bool:
        match = _EXPRESSION.fullmatch(condition)
        assert match
        return all(self._holds(part.strip()) for part in match[1].split("&&"))

    def _holds(self, part: str) -> bool:
        match = _TERM.fullmatch(part)
        assert match, part
        negated, name, comparison, text = match.groups()
        if name == "cancelled()":
            value = ""
        elif name == "success()":
            value = "" if self.failed else "true"
        else:
            value = self._value(name, self._values)
        holds = bool(value) if comparison is None else (value == text) == (comparison == "==")
        return holds != bool(negated)

    def _said(self, text: str, values: Mapping[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            return next(
                filter(None, (self._value(each.strip(), values) for each in match[1].split("||"))),
                "",
            )

        return _EXPRESSION.sub(value, text)

    @staticmethod
    def _value(name: str, values: Mapping[str, str]) -> str:
        return name[1:-1] if name.startswith("'") else values.get(name, "")
