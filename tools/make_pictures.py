"""Make the pictures of the README and the documents: pages of the demo in a headless Chromium, in both languages.

    python -m tools.make_pictures [NAME ...]

Written are docs/pictures/NAME.webp and NAME.zh.webp for the pages of :data:`PAGES`, by default all of them.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import drgsim
from drgsim.language import LANGUAGES, speaking
from tests.chromium import Chromium, running_chromium

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
# page of the demo, what of it is taken (its top, or its first card that holds something), and how high
PAGES = {
    "hospital": ("hospital/report.html", "", 860), "quadrants": ("hospital/report.html", "svg circle", 590),
    "region": ("index.html", "", 860), "whatif": ("whatif/whatif.html", "", 860),
}  # fmt: skip
WIDTH = 1200
MOST_BYTES = 150_000
QUALITIES = (85, 75, 65, 50, 35)


def file_of(name: str, language: str) -> Path:
    """Where the picture of a page lies."""
    return FOLDER / f"{name}{'' if language == 'en' else f'.{language}'}.webp"


def picture_of(browser: Chromium, page: Path, holds: str, height: int) -> bytes:
    """A WebP of the top of a page, or of its first card that holds something, at the best quality that is small enough."""
    browser.visit(page)
    area = {"x": 0, "y": 0, "width": WIDTH, "height": height}
    if holds:
        card = f"[...document.querySelectorAll('section.card')].find(card => card.querySelector('{holds}'))"
        area["y"] = browser.value(f"{card}.getBoundingClientRect().y") - 12
    for quality in QUALITIES:
        taken = browser.ask(
            "Page.captureScreenshot", format="webp", quality=quality, clip=area | {"scale": 1}, captureBeyondViewport=True
        )
        picture = base64.b64decode(taken["data"])
        if len(picture) <= MOST_BYTES:
            break
    return picture


def main(names: list[str]) -> None:
    """Take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(ignore_cleanup_errors=True) as work, running_chromium(Path(work) / "profile") as browser:
        browser.size(WIDTH, 860)
        for language in LANGUAGES:
            demo = Path(work) / language
            with speaking(language):
                drgsim.demo(demo)
            for name in names or PAGES:
                page, holds, height = PAGES[name]
                file_of(name, language).write_bytes(picture_of(browser, demo / page, holds, height))


if __name__ == "__main__":
    main(sys.argv[1:])
