"""Derives the files of a build, here or elsewhere, and signs them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from flux2build.building.deriving import OnThisMachine, UnfitError
from flux2build.building.toolbox import Toolbox
from flux2build.digest import Digest, of_bytes
from flux2build.errors import Flux2BuildError
from flux2build.images.derive import File, Job, no_networks
from flux2build.model import Derive, Recipe
from flux2build.planning.preflight import with_names


class Derivations:
    """Derives files on all cores of this machine, or on others."""

    def __init__(
        self, toolbox: Toolbox, pool: ThreadPoolExecutor, colours: dict[Digest, str]
    ) -> None:
        self._pool, self._say = pool, toolbox.say
        self._here = OnThisMachine(toolbox.ops, pool.map, toolbox.networks or no_networks)
        self._deriving = toolbox.deriving or self._here
        self._signer, self._colours = toolbox.signer, colours
        self._notices: set[str] = set()

    async def derive(
        self, recipes: Sequence[Recipe], inputs: Sequence[tuple[bytes, ...]]
    ) -> Sequence[bytes | Flux2BuildError]:
        """Each file, or the error that prevents it, in the order of the recipes."""
        jobs = [
            Job(recipe.task, row)
            for recipe, row in zip(recipes, inputs, strict=True)
            if isinstance(recipe.task, Derive)
        ]
        answers = await self._derived(jobs)
        signed = await asyncio.to_thread(self._signed, jobs, answers)
        return [_named(*pair) for pair in zip(recipes, signed, strict=True)]

    async def _derived(self, jobs: Sequence[Job]) -> Sequence[File | Flux2BuildError]:
        """The files, derived elsewhere, or here if no other machine has the networks for them."""
        try:
            return await self._deriving.derive(jobs)
        except UnfitError as error:
            if (notice := f"{error}; what takes it is derived here") not in self._notices:
                self._notices.add(notice)
                self._say(notice)
            return await self._here.derive(jobs)

    def _signed(
        self, jobs: Sequence[Job], answers: Sequence[File | Flux2BuildError]
    ) -> list[bytes | Flux2BuildError]:
        return list(self._pool.map(self._sign, jobs, answers))

    def _sign(self, job: Job, answer: File | Flux2BuildError) -> bytes | Flux2BuildError:
        """The file, signed if the spec asks for it."""
        if isinstance(answer, Flux2BuildError):
            return answer
        try:
            data = self._signer.signed(job.task, answer.data, job.inputs[0])
        except Flux2BuildError as failure:
            return failure
        if answer.colours is not None:
            self._colours[of_bytes(data)] = answer.colours
        return data


def _named(recipe: Recipe, answer: bytes | Flux2BuildError) -> bytes | Flux2BuildError:
    """The answer; an error calls the inputs by their names."""
    if not isinstance(answer, Flux2BuildError):
        return answer
    error = Flux2BuildError(*(with_names(problem, recipe) for problem in answer.problems))
    error.exit = answer.exit
    return error
