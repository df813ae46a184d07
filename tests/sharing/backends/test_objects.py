"""An object store as the team's store."""

from __future__ import annotations

import sys

import pytest

from flux2build.errors import SystemFault, UsageError
from flux2build.extras import pip_install
from flux2build.sharing.backends.objects import BACKEND
from flux2build.sharing.contract import Access, Unreachable
from tests.sharing.places import Place, moto, practice

CLAIM = f"claims/{'1' * 64}"


def test_no_bucket() -> None:
    """A bucket that is not there is told as such, and never taken for an empty one."""
    backend = Place("s3://none/team", practice(moto())).open()
    for call in (
        lambda: backend.get(CLAIM),
        lambda: backend.put(CLAIM, b""),
        lambda: backend.create(CLAIM, b""),
        lambda: list(backend.list("claims/")),
    ):
        with pytest.raises(Unreachable, match="`s3://none/team` cannot be used") as error:
            call()
        assert "127.0.0.1" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["s3://", "gs:///x", "s3://key:secret@bucket", "az://a/c?sig=secret"]
)
def test_urls(url: str) -> None:
    """A URL names a bucket; credentials have no place in it, and are not shown."""
    with pytest.raises(UsageError, match="does not name a bucket") as error:
        BACKEND.open(url, Access())
    assert "secret" not in str(error.value)


def test_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain installation says what to install."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(SystemFault, match="needs `obstore`") as error:
        BACKEND.open("s3://bucket", Access())
    assert pip_install("team") in str(error.value.problems[0].hint)
