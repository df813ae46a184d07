"""The simulator's own pages: charges, requests, state, scenario, reset."""

from __future__ import annotations

from collections.abc import Iterator
from json import dumps

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from flux2build.errors import UsageError
from flux2build.simulator.answers import parsed
from flux2build.simulator.simulation import Simulation


def routes(simulation: Simulation) -> list[Route]:
    """The routes below `/_sim/`, which show and change the simulation."""

    async def charges(_: Request) -> Response:
        return JSONResponse(simulation.charges())

    async def requests(_: Request) -> Response:
        return StreamingResponse(_list(simulation), media_type="application/json")

    async def state(_: Request) -> Response:
        return JSONResponse(simulation.state())

    async def scenario(_: Request) -> Response:
        return JSONResponse(simulation.scenario.model_dump())

    async def change(request: Request) -> Response:
        """Settings to change; `rules` replace all rules and start their counts again."""
        try:
            simulation.change(simulation.scenario.changed(parsed(await request.body())))
        except (ValueError, TypeError) as error:
            return JSONResponse({"detail": str(error)}, 422)
        except UsageError as error:
            return JSONResponse({"detail": [problem.message for problem in error.problems]}, 422)
        return await scenario(request)

    async def reset(request: Request) -> Response:
        """Forget everything, as if just started."""
        simulation.reset()
        return await scenario(request)

    return [
        *(Route(f"/_sim/{page.__name__}", page) for page in (charges, requests, state, scenario)),
        Route("/_sim/scenario", change, methods=["POST"]),
        Route("/_sim/reset", reset, methods=["POST"]),
    ]


def _list(simulation: Simulation) -> Iterator[str]:
    yield '{"requests": ['
    for number, request in enumerate(simulation.storage.requests()):
        yield f"{', ' if number else ''}{dumps(request)}"
    yield "]}"
