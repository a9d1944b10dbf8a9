"""Keeps the catalogue of translations: ``python -m tools.messages update`` or ``check``.

``update`` reads every text from the code (``text``, ``term``, ``counted`` of :mod:`drgsim.language`), from the templates of
pages and from the data files named in :data:`DATA_TEXTS`, and writes ``drgsim/locale/<language>/<package>.po``: what is new
with an empty translation, what is unused no more, each text once, in the order of the alphabet. ``check`` says what is missing,
unused or does not agree with its original, and ends with 1 then.
"""

from __future__ import annotations

import ast
import re
import string
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from drgsim.language.catalogue import LOCALE, read_parts

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "drgsim"
KEYWORDS = {"text": None, "term": ((1, "c"), 2), "counted": (2, 3)}  # as Babel counts arguments
LITERALS = {"text": (0,), "term": (0, 1), "counted": (1, 2)}
# data files whose sentences are shown as text_of_data(...), with the keys that hold sentences (at any depth)
DATA_TEXTS: dict[str, tuple[str, ...]] = {
    "authoring/dip/national_catalogue.toml": (  # how the catalogue is read, which explanations tell
        "excluded_diagnoses",
        "excluded_procedures",
        "first",
        "merged",
        "split",
        "core",
        "comprehensive",
        "primary_care",
    ),
    "quality/quality_rules.yaml": ("why",),  # title and fix stand there in both languages
    "simulation/paths.yaml": ("unit",),
}

_SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

Key = tuple[str | None, str]  # context and text


@dataclass(frozen=True)
class Found:
    """A text of the project with the package that holds it."""

    package: str
    context: str | None
    one: str
    many: str | None = None

    @property
    def key(self) -> Key:
        """What tells texts apart."""
        return self.context, self.one


def _package(path: Path) -> str:
    inner = path.relative_to(PACKAGE).parts
    return inner[0] if len(inner) > 1 else Path(inner[0]).stem.strip("_")


def _spoken_modules() -> Iterator[tuple[Path, ast.Module, set[str]]]:
    """Modules that import functions which make texts, with these names."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "drgsim.language"]
        names = {alias.name for node in imports for alias in node.names} & KEYWORDS.keys()
        if names and path.parent.name != "language":
            yield path, tree, names


def _calls(tree: ast.AST, names: set[str]) -> Iterator[tuple[ast.Call, str, list[str]]]:
    """Calls that make texts: the function, and the literals of its arguments as far as they are literals."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            literals = [node.args[place] for place in LITERALS[node.func.id] if place < len(node.args)]
            yield node, node.func.id, [each.value for each in literals if isinstance(each, ast.Constant)]


def _of_code() -> Iterator[Found]:
    for path, tree, names in _spoken_modules():
        for _, name, literals in _calls(tree, names):
            if len(literals) == len(LITERALS[name]):
                context, one, many = {"text": (None, *literals, None), "term": (*literals, None)}.get(name, (None, *literals))
                yield Found(_package(path), context, one, many)


def _of_templates() -> Iterator[Found]:
    for path in sorted(PACKAGE.rglob("*.html")):
        with path.open("rb") as file:
            for _, ids, _, context in extract("jinja2", file, KEYWORDS, (), {"silent": "false"}):
                one, many = (ids, None) if isinstance(ids, str) else ids[:2]
                yield Found(_package(path), context, one, many)


def _of_data() -> Iterator[Found]:
    def texts(value: Any, keys: tuple[str, ...]) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in keys and isinstance(inner, str):
                    yield inner
                else:
                    yield from texts(inner, keys)
        elif isinstance(value, list):
            for inner in value:
                yield from texts(inner, keys)

    for name, keys in DATA_TEXTS.items():
        path = PACKAGE / name
        load = tomllib.loads if path.suffix == ".toml" else yaml.safe_load
        content = load(path.read_text(encoding="utf-8"))
        yield from (Found(_package(path), None, each) for each in texts(content, keys))


def _of_commands() -> Iterator[Found]:
    """Help of commands and options, which stands where they are defined."""
    from typer.main import get_command

    from drgsim.cli.main import app
    from drgsim.cli.spoken_help import help_texts

    yield from (Found("cli", None, each) for each in help_texts(get_command(app)))


def project_texts() -> dict[Key, Found]:
    """Every text of the project once, under the first package that has it."""
    found: dict[Key, Found] = {}
    for each in sorted(
        (*_of_code(), *_of_templates(), *_of_data(), *_of_commands()),
        key=lambda each: (each.package, each.context or "", each.one, each.many or ""),
    ):
        found.setdefault(each.key, each)
    return found


def _translations(language: str) -> dict[Key, str]:
    known: dict[Key, str] = {}
    for _, part in read_parts(LOCALE / language):
        for message in part:
            one, value = (each if isinstance(each, str) else each[0] for each in (message.id, message.string))
            if one and value and not message.fuzzy:
                known.setdefault((message.context, one), value)
    return known


def update(language: str) -> None:
    """Write the files of a language anew, with the translations that they have."""
    known, parts = _translations(language), {}
    for key, each in sorted(project_texts().items(), key=lambda pair: (pair[0][1], pair[0][0] or "")):
        part = parts.setdefault(each.package, Catalog(locale=language))
        value = known.get(key, "")
        part.add((each.one, each.many) if each.many else each.one, (value,) if each.many else value, context=each.context)
    folder = LOCALE / language
    for path in folder.glob("*.po"):
        if path.stem not in parts:
            path.unlink()
    for name, part in parts.items():
        with (folder / f"{name}.po").open("wb") as file:
            write_po(file, part, width=0, no_location=True, omit_header=True, sort_output=True)


def _names(template: str) -> set[str]:
    if not re.search(r"\{\w+[^}]*\}", template):
        return set()
    try:
        return {name.partition(".")[0].partition("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}
    except ValueError:
        return {"(unreadable)"}


def _unread_calls() -> Iterator[str]:
    """Calls whose text is no literal, so that no catalogue can hold it, and names that hide the functions."""
    for path, tree, names in _spoken_modules():
        place = path.relative_to(ROOT)
        for node, name, literals in _calls(tree, names):
            if len(literals) != len(LITERALS[name]):
                yield f"{place}:{node.lineno}: {name}() of something that is no literal"
        for scope in ast.walk(tree):
            if isinstance(scope, _SCOPES):
                hidden = {name for node in ast.walk(scope) if (name := _bound(node)) in names}
                called = (node for node, name, _ in _calls(scope, names) if name in hidden)
                yield from (f"{place}:{node.lineno}: a variable hides the function that is called here" for node in called)


def _bound(node: ast.AST) -> str:
    """The name that a node gives a value, if any."""
    if isinstance(node, ast.arg):
        return node.arg
    return node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""


def problems(language: str) -> list[str]:
    """What keeps the catalogue from being complete and true; empty when nothing does."""
    texts, known = project_texts(), _translations(language)
    found = list(_unread_calls())
    found += [f"{each.package}: no translation of {each.one!r}" for key, each in texts.items() if key not in known]
    found += [f"unused: {one!r}" for context, one in known if (context, one) not in texts]
    for key, each in texts.items():
        extra = _names(known.get(key, "")) - _names(each.one) - _names(each.many or "") - ({"count"} if each.many else set())
        if extra:
            found.append(f"{each.package}: the translation of {each.one!r} has names that the text has not: {sorted(extra)}")
    return found


def main() -> int:
    """Run from the command line."""
    languages = sorted(path.name for path in LOCALE.iterdir() if path.is_dir())
    if sys.argv[1:] == ["update"]:
        for language in languages:
            update(language)
    elif sys.argv[1:] != ["check"]:
        print(__doc__)
        return 2
    found = [f"{language}: {each}" for language in languages for each in problems(language)]
    print("\n".join(found) or "the catalogue is complete")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
