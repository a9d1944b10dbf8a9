"""Translations: the compiled catalogue of an installed drgsim, or the ``.po`` files of a checkout.

``drgsim/locale/<language>`` holds one ``.po`` file for each package of drgsim. The build of the wheel (``hatch_build.py``)
joins them to ``<language>.mo``, which Python reads by itself; a checkout has none and joins them when it first needs them.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.messages import Catalog

LOCALE = Path(__file__).parent.parent / "locale"


def read_parts(folder: Path) -> Iterator[tuple[str, Catalog]]:
    """The ``.po`` files of a language's folder with their names, in order; Babel must be installed."""
    from babel.messages.pofile import read_po

    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as file:
            yield path.stem, read_po(file, locale=folder.name, charset="utf-8")


def compiled(folder: Path) -> bytes:
    """The parts of a language as one ``.mo`` file; a text with a plural is held by its singular: Chinese has one form."""
    from babel.messages import Catalog
    from babel.messages.mofile import write_mo

    whole = Catalog(locale=folder.name)
    for _, part in read_parts(folder):
        for message in part:
            one, string = (each if isinstance(each, str) else (each or ("",))[0] for each in (message.id, message.string))
            if one and string and not message.fuzzy:
                whole.add(one, string, context=message.context)
    written = io.BytesIO()
    write_mo(written, whole)
    return written.getvalue()


@lru_cache(maxsize=4)
def _catalogue(language: str) -> gettext.NullTranslations:
    made = LOCALE / f"{language}.mo"
    return gettext.GNUTranslations(io.BytesIO(made.read_bytes() if made.is_file() else compiled(LOCALE / language)))


def translated(language: str, template: str, context: str | None = None) -> str:
    """The template in another language; itself where the catalogue does not hold it."""
    if not template:
        return template
    catalogue = _catalogue(language)
    return catalogue.pgettext(context, template) if context else catalogue.gettext(template)
