"""The simulator's own pages: charges, requests, state, scenario, reset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from json import dumps
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from flux2build.errors import UsageError
from flux2build.simulator.dialect import Dialect, parsed
from flux2build.simulator.simulation import Simulation


def routes(simulation: Simulation, dialects: Sequence[Dialect]) -> list[Route]:
    """Everything below `/_sim/`."""
    pages = Pages(simulation, dialects)
    return [
        Route("/_sim/charges", pages.charges),
        Route("/_sim/requests", pages.requests),
        Route("/_sim/state", pages.state),
        Route("/_sim/scenario", pages.scenario),
        Route("/_sim/scenario", pages.change, methods=["POST"]),
        Route("/_sim/reset", pages.reset, methods=["POST"]),
    ]


class Pages:
    """The pages beside the APIs: what the simulator shows, and what can be changed."""

    def __init__(self, simulation: Simulation, dialects: Sequence[Dialect]) -> None:
        self._simulation = simulation
        self._dialects = list(dialects)

    async def charges(self, request: Request) -> Response:  # noqa: ARG002 - one signature for all
        """Every charge and every refund."""
        return JSONResponse(self._simulation.charges())

    async def requests(self, request: Request) -> Response:  # noqa: ARG002 - one signature for all
        """Every request so far, streamed."""
        return StreamingResponse(_list(self._simulation), media_type="application/json")

    async def state(self, request: Request) -> Response:  # noqa: ARG002 - one signature for all
        """Counts: active tasks, their peak, credits, unknown fields."""
        return JSONResponse(self._simulation.state(self._dialects))

    async def scenario(self, request: Request) -> Response:  # noqa: ARG002 - one signature for all
        """The scenario in force."""
        return self._current()

    async def change(self, request: Request) -> Response:
        """Settings to change; `rules` replace all rules and start their counts again."""
        try:
            changes: dict[str, Any] = parsed(await request.body())
            self._simulation.change(self._simulation.scenario.changed(changes))
        except (ValueError, TypeError) as error:
            return JSONResponse({"detail": str(error)}, 422)
        except UsageError as error:
            return JSONResponse({"detail": [problem.message for problem in error.problems]}, 422)
        return self._current()

    async def reset(self, request: Request) -> Response:  # noqa: ARG002 - one signature for all
        """Forget everything, as if just started."""
        self._simulation.reset()
        return self._current()

    def _current(self) -> Response:
        return JSONResponse(self._simulation.scenario.model_dump(mode="json"))


def _list(simulation: Simulation) -> Iterator[str]:
    yield '{"requests": ['
    for number, request in enumerate(simulation.storage.requests()):
        yield f"{', ' if number else ''}{dumps(request)}"
    yield "]}"
