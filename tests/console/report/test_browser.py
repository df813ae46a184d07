"""The page in a real Chromium: on a phone, in the dark, with keys, and without a network.

It needs playwright and a Chromium on the path; without them it is left out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from flux2build.console.report import page as report
from tests.console.report.reports import contents, lock_of

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM: Final = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
LONG: Final = {"fox": "a red fox " * 40, "a-rather-long-name" * 6: "x" * 400}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser."""
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The page on a phone; it asks for nothing, and nothing goes wrong in it."""
    file, trouble = tmp_path / "report.html", list[str]()
    before = lock_of({name: f"was {prompt}" for name, prompt in LONG.items()})
    file.write_text(report.written(contents(before, lock_of(LONG))), "utf-8")
    tab = browser.new_page(viewport={"width": 360, "height": 740}, has_touch=True)
    tab.on("console", lambda message: trouble.append(message.text))
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.on("request", lambda request: trouble.append(request.url))
    tab.goto(file.as_uri())
    yield tab
    tab.close()
    assert [each for each in trouble if not each.startswith(("data:", "file:"))] == []


def test_it_fits_a_phone(opened: Any) -> None:
    """Nothing is wider than the screen, however long names and prompts are."""
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    assert opened.evaluate("[...document.images].every(each => each.naturalWidth > 0)")


def test_light_and_dark(opened: Any) -> None:
    """The page follows the reader's choice."""
    grounds = []
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        grounds.append(opened.evaluate("getComputedStyle(document.body).backgroundColor"))
        if folder := os.environ.get("SCREENSHOTS"):
            opened.screenshot(path=f"{folder}/report-{scheme}.png", full_page=True)
    assert grounds == ["rgb(255, 255, 255)", "rgb(17, 17, 19)"]


def test_the_slider_moves(opened: Any) -> None:
    """By keys and by a finger; the picture after is cut where the handle is."""
    slider = opened.locator(".compare input").first
    picture = opened.locator(".compare img.after").first

    def cut() -> str:
        return str(picture.evaluate("each => getComputedStyle(each).clipPath"))

    assert cut() == "inset(0px 0px 0px 50%)"
    slider.focus()
    slider.press("End")
    assert cut() == "inset(0px 0px 0px 100%)"
    box = slider.bounding_box()
    opened.touchscreen.tap(box["x"] + 3, box["y"] + box["height"] / 2)
    assert cut() in {f"inset(0px 0px 0px {percent})" for percent in ("0%", "1%", "2%", "3%")} | {
        "inset(0px)"
    }
