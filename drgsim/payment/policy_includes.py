"""Files of sections that a policy includes (``include: [examples/psychiatric]``), merged so that nothing is overridden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drgsim.assets import asset_root
from drgsim.errors import Problem, did_you_mean
from drgsim.language import text
from drgsim.parameters.own_folder import files_outside
from drgsim.parameters.strict_file import is_file, read_strict
from drgsim.payment.policy_model import PolicyFile
from drgsim.records.vocabulary import in_policy_words

EXAMPLES = "examples"
HEAD = ("title", "title_zh")  # what the file itself is about
LISTS = ("notes",)  # joined
SHAPES: dict[str, type] = {"sources": dict, "notes": list}  # what must have a shape for both sides to be joined
# what makes a policy: no file of sections may state it
OWN = (
    "id", "region_zh", "year", "method", "scheme", "published", "effective_from", "effective_to", "verified", "include",
    "relative_value", "patient_share",
)  # fmt: skip


@dataclass(frozen=True)
class Included:
    """The YAML of a policy with its includes, and the bytes of these, which belong to its digest."""

    raw: dict[str, Any]
    content: bytes


def include_names() -> list[str]:
    """Names of the files of sections that ship with drgsim."""
    root = asset_root("payment_tables")
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in (root / EXAMPLES).glob("*.yaml"))


def with_includes(
    raw: Mapping[str, Any], names: Sequence[str], where: str, problems: list[Problem], folder: Path | None = None
) -> Included:
    """Merge files of sections into a policy.

    Parameters
    ----------
    raw
        The YAML of the policy; it is left as it is.
    names
        ``examples/psychiatric`` and others that ship, or a file of one's own (``.yaml``).
    where
        Names the policy in messages.
    problems
        Takes what is wrong: ``policy-unknown-include``, ``policy-include-part`` for what no such file may state,
        ``policy-include-conflict`` where both sides state something and not the same, and ``policy-bad-value``.
    folder
        Folder of the policy where its own file names the includes: files of one's own may lie beside it.
    """
    merged, content = dict(raw), b""
    for name in dict.fromkeys(names):
        path = _path(name, folder)
        if path is None:
            known = include_names()
            fix = did_you_mean(name, known) or text("what ships is {known}; or name a .yaml file", known=", ".join(known))
            what = text("there is no file of sections {name!r}", name=name)
            problems.append(Problem("policy-unknown-include", what, where=where, fix=fix))
            continue
        sections, read = read_strict(path, "policy", problems, name)
        content += read
        if sections is None:
            continue
        sections = in_policy_words(sections)
        outside = list(files_outside(sections, path.parent, "policy", name))
        problems += outside
        if outside:
            continue
        known = [part for part in PolicyFile.model_fields if part not in OWN]
        for key in (key for key in sections if key not in (*HEAD, *known)):
            fix = text("leave it to the policy") if key in OWN else did_you_mean(str(key), known)
            what = text("{name} states {key}, which a file of sections cannot", name=name, key=key)
            problems.append(Problem("policy-include-part", what, where=name, fix=fix))
        stated = {key: value for key, value in sections.items() if key in known and key not in HEAD}
        misread = [key for key, kind in SHAPES.items() if not isinstance(stated.get(key, kind()), kind)]
        for key in misread:
            kind = text("list") if SHAPES[key] is list else text("mapping")
            what = text("{name} states {key}, which is no {kind}", name=name, key=key, kind=kind)
            problems.append(Problem("policy-bad-value", what, where=f"{name}: {key}"))
        if misread:
            continue
        merged = _merged(merged, _moved(stated, Path(name).parent.as_posix()), name, where, "", problems)
    merged["include"] = list(dict.fromkeys([*merged.get("include", ()), *names]))
    return Included(merged, content)


def table_path(folder: Path, file: str, anywhere: bool = False) -> Path:
    """Where a table of a policy lies: beside it, or beside the file of sections that brought it.

    A file of sections that the caller names may lie ``anywhere``, one that a policy names may not.
    """
    places = (folder / file, asset_root("payment_tables") / file, *([Path(file)] if anywhere else []))
    return next((place for place in places if is_file(place)), places[0])


def _path(name: str, folder: Path | None) -> Path | None:
    places = (asset_root("payment_tables") / f"{name}.yaml", Path(name) if folder is None else folder / name)
    return next((place for place in places if place.suffix in (".yaml", ".yml") and is_file(place)), None)


def _moved(node: Any, folder: str) -> Any:
    """The sections with the names of their tables as seen from where includes lie."""
    if isinstance(node, list):
        return [_moved(each, folder) for each in node]
    if not isinstance(node, dict):
        return node
    moved = {key: _moved(value, folder) for key, value in node.items()}
    if isinstance(node.get("file"), str):
        moved["file"] = f"{folder}/{node['file']}"
    return moved


def _merged(
    own: Mapping[Any, Any], added: Mapping[Any, Any], name: str, where: str, path: str, problems: list[Problem]
) -> dict[Any, Any]:
    """Both mappings in one; what both state must be equal, but for lists of notes, which are joined."""
    result = dict(own)
    for key, value in added.items():
        place = f"{path}.{key}" if path else str(key)
        if result.get(key) is None:
            result[key] = value
        elif place in LISTS and isinstance(result[key], list):
            result[key] = [*result[key], *(each for each in value if each not in result[key])]
        elif isinstance(result[key], dict) and isinstance(value, dict) and "evidence" not in (*result[key], *value):
            result[key] = _merged(result[key], value, name, where, place, problems)
        elif result[key] != value:
            what = text("{place} is stated by {where} and otherwise by {name}", place=place, where=where, name=name)
            fix = text("leave it to one of them, or include a file of your own")
            problems.append(Problem("policy-include-conflict", what, where=f"{name}: {place}", fix=fix))
    return result
