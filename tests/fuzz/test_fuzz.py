"""Whatever bytes a file or a server holds, they are read or refused, never a bug."""

from __future__ import annotations

import os
import time
from typing import Final

import pytest

from tests.fuzz.mutation import mutants
from tests.fuzz.targets import TARGETS

COUNT: Final = int(os.environ.get("FLUX2BUILD_FUZZ") or 0) or (
    100_000 if os.environ.get("FLUX2BUILD_DEEP") else 150
)
SEED: Final = int(os.environ.get("FLUX2BUILD_FUZZ_SEED") or 1)
SLOWEST: Final = 10.0
"""Seconds of work that a refusal may take."""


@pytest.mark.parametrize("name", TARGETS)
def test_odd_bytes(name: str) -> None:
    """Only typed errors, soon; an input that fails is printed, and belongs in a test of its own."""
    target = TARGETS[name]
    for data in mutants(target.good, target.words, COUNT, SEED):
        before = time.process_time()
        try:
            target.read(data)
        except target.errors:
            pass
        except Exception as error:
            raise AssertionError(f"{name}: {error!r} for {data!r}") from error
        assert time.process_time() - before < SLOWEST, data
