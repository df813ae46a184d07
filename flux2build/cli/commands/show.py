"""Show the resolved request of assets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import click
from msgspec.structs import asdict

from flux2build.cli.command import command
from flux2build.console import plan_view
from flux2build.console.changes import operation, value_text
from flux2build.console.console import Console
from flux2build.console.escaping import clean
from flux2build.console.styled import Text
from flux2build.digest import Json
from flux2build.errors import UsageError
from flux2build.model import Asset, Derive, Generate, Operation, Recipe, Write
from flux2build.session.common_options import Choice, CommonOptions
from flux2build.session.project import Project


@command("show", selects=True)
def show(options: CommonOptions, *, choice: Choice) -> None:
    """Show the resolved request of assets.

    Applies every default, style, profile and template: what is shown is exactly
    what would be sent, with the files derived from it.
    """
    if not choice.selection:
        raise UsageError("show which asset?", hint="`flux2build list` names them all")
    project, console = Project.open(options), Console.of(options, choice)
    chosen = project.chosen(choice)
    assets = [asset for name, asset in project.spec.named.items() if name in chosen]
    if options.json:
        rows = [_as_json(asset, _recipes(project, asset)) for asset in assets]
        console.document({"assets": rows})
        return
    for asset in assets:
        console.data(*_lines(asset, _recipes(project, asset)))


def _recipes(project: Project, asset: Asset) -> list[Recipe]:
    return [recipe for recipe in project.spec.recipes if recipe.asset == asset.name]


def _lines(asset: Asset, recipes: Sequence[Recipe]) -> Iterator[Text]:
    yield Text(clean(asset.name), "bold")
    for name, value in _texts(asset):
        if value:
            yield from _rows(name, value)
    if asset.tags:
        yield _row("tags", ", ".join(asset.tags))
    for recipe in recipes:
        yield from _request(recipe)


def _request(recipe: Recipe) -> Iterator[Text]:
    task = recipe.task
    if isinstance(task, Generate):
        yield _row("provider", task.provider)
        yield _row("model", task.model)
        yield from _rows("prompt", task.prompt)
        for name, value in task.params.items():
            yield _row(name, value_text(value))
        for number, source in enumerate(recipe.inputs, 1):
            yield _row(f"image {number}", str(source))
        yield _row("output", recipe.output)
        return
    if isinstance(task, Write):
        document = f"{task.document} of {plan_view.counted(len(task.about))}"
        yield _row("write", recipe.output)
        yield _row("", f"{document} | {operation('options', task.options)}")
        return
    rest = {name: value for name, value in task.encoding.items() if name != "format"}
    steps = [operation(op.op, op.params) for op in task.ops]
    yield _row("deliver", recipe.output)
    yield _row("", " | ".join([*steps, operation(str(task.encoding["format"]), rest)]))


def _rows(name: str, value: str) -> Iterator[Text]:
    """A text of several lines, each below the other."""
    first, *rest = value.split("\n")
    yield _row(name, first)
    for line in rest:
        yield Text.assemble((f"{'|':>12} ", "cyan"), clean(line))


def _texts(asset: Asset) -> Iterator[tuple[str, str | None]]:
    yield "source", asset.source
    yield "alt", asset.alt
    yield "title", asset.title
    yield "expects", asset.expect_text


def _row(name: str, value: str) -> Text:
    return Text.assemble((f"  {name:<10} ", "cyan"), clean(value))


def _as_json(asset: Asset, recipes: Sequence[Recipe]) -> Json:
    return {
        "asset": asset.name,
        "family": asset.family,
        "axes": dict(asset.axes),
        "source": asset.source,
        "alt": asset.alt,
        "title": asset.title,
        "expect_text": asset.expect_text,
        "tags": asset.tags,
        "requests": [_task_json(recipe) for recipe in recipes],
    }


def _task_json(recipe: Recipe) -> Json:
    task = asdict(recipe.task)
    task.pop("about", None)
    if isinstance(recipe.task, Derive):
        task["ops"] = [_op_json(step) for step in recipe.task.ops]
    return {
        "kind": recipe.kind,
        "output": recipe.output,
        "inputs": [str(source) for source in recipe.inputs],
        **task,
    }


def _op_json(step: Operation) -> Json:
    return {"op": step.op, "version": step.version, **step.params}


COMMAND: Final[click.Command] = show
