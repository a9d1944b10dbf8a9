"""A policy folder to begin with: another policy with comments, everything in it an assumption until a source replaces it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any

import yaml
from pydantic import BaseModel

from drgsim.errors import Problem, UsageError
from drgsim.language import Text, spoken, text
from drgsim.parameters.evidence import Evidence
from drgsim.parameters.model_shape import Shape, shape_of
from drgsim.payment.policy import POLICY_FILE, Policy, load_policy, policy_names, tables_of
from drgsim.payment.policy_includes import table_path
from drgsim.payment.policy_model import PolicyFile
from drgsim.payment.policy_sections import SECTIONS
from drgsim.results.whole_outputs import whole_folder

WIDTH = 128
NAME = re.compile(r"[^/\\\s.:]+/[0-9]{4}[A-Za-z0-9-]*")
HEADER = (
    "id",
    "title",
    "title_zh",
    "region_zh",
    "year",
    "scheme",
    "method",
    "published",
    "effective_from",
    "effective_to",
    "verified",
)


_ENTRY = text("my-notice: {title: number and date of the notice, read_in: where it was read, url: https://...}")


_HOW = text(
    "Every value here is an assumption. Replace it by the region's own, with the source that states it and its evidence "
    "(official, secondary, derived), and take out what the region does not have."
)


def _begun(name: str, base: str) -> Text:
    return text("Payment policy {name}, begun after {base}. Check it with: drgsim policy check FOLDER", name=name, base=base)


def skeleton_text(name: str, base: Policy) -> str:
    """The commented policy.yaml of a new policy that takes everything over from another one.

    Parameters
    ----------
    name
        ``region/year`` of the new policy.
    base
        The policy that the values are taken from. All of them become assumptions with this policy as their source; their
        dates, which are those of its region, are left out.

    Examples
    --------
    >>> written = skeleton_text("my-city/2026", load_policy("beijing/2024"))
    >>> [line[:40] for line in written.splitlines() if line.startswith(("id:", "stays:", "# stays"))]
    ['id: my-city/2026', '# stays: Stays outside the curve: those ', 'stays:']
    """
    source = base.id.replace("/", "-")
    raw = _taken_over(dict(base.raw), shape_of(PolicyFile), source, base.id)
    region, _, year = name.partition("/")
    raw |= {
        "id": name, "title": f"Payment of {region}, {year}: skeleton after {base.id}",
        "title_zh": f"{region} {year} 付费政策草稿",
        "region_zh": region, "year": year, "effective_from": None, "verified": base.file.verified,
        "sources": {source: {"title": f"Taken over from the policy {base.id}, to be replaced", "read_in": base.file.title_zh}},
        "notes": [f"A skeleton: every value is that of {base.id} and an assumption until a source of the region replaces it."],
    }  # fmt: skip
    for gone in ("published", "effective_to", "include"):  # what was included is the policy's own from now on
        raw.pop(gone, None)
    lines = [
        *_comment(spoken(_begun(name, base.id))),
        *_comment(spoken(_HOW)),
    ]
    for section in (*HEADER, *(field for field in PolicyFile.model_fields if field not in HEADER)):
        if section not in HEADER or section == "id":
            lines += _about(section, section in raw)
        if section in raw:
            style = None if isinstance(raw[section], dict | list) else False  # parameters stand on one line each
            dumped = yaml.safe_dump(
                {section: raw[section]}, allow_unicode=True, sort_keys=False, default_flow_style=style, width=1000
            )
            lines += dumped.splitlines()
        if section == "sources":
            lines += [f"  # {spoken(_ENTRY)}"]
            lines += [
                f"  # {spoken(text('{base} itself rests on:', base=base.id))}",
                *(f"  #   {each.title}" for each in base.file.sources.values()),
            ]
    return "\n".join(lines) + "\n"


def write_skeleton(name: str, base: str | Path | Policy = "beijing/2024", output: str | Path | None = None) -> Policy:
    """Write the folder of a new policy: policy.yaml as :func:`skeleton_text` has it, and the tables of the other policy.

    Parameters
    ----------
    name
        ``region/year`` of the new policy, such as ``my-city/2026``; no policy that ships has it.
    base
        The policy to begin with.
    output
        The new folder; by default ``region/year`` below the current one.

    Returns
    -------
    Policy
        The new policy, read from its folder.

    Raises
    ------
    UsageError
        ``policy-bad-name`` or ``policy-name-taken``.
    PolicyError
        The other policy is unknown or has mistakes.
    OutputError
        ``output-exists`` and others: the folder holds something.
    """
    if not NAME.fullmatch(name):
        what, fix = f"{name!r} is no name of a policy", "write region/year, such as my-city/2026"
        raise UsageError([Problem("policy-bad-name", what, where=name, fix=fix)])
    if name in policy_names():
        raise UsageError(
            [Problem("policy-name-taken", f"the policy {name} ships with drgsim", where=name, fix="choose another name")]
        )
    origin = base if isinstance(base, Policy) else load_policy(base)
    folder = Path(output) if output is not None else Path(*name.split("/"))
    with whole_folder(folder, replace=False) as beside:
        (beside / POLICY_FILE).write_text(skeleton_text(name, origin), encoding="utf-8")
        for file in dict.fromkeys(table.file for table in tables_of(origin.file)):
            (beside / file).parent.mkdir(parents=True, exist_ok=True)
            (beside / file).write_bytes(table_path(origin.folder, file, anywhere=True).read_bytes())
    return load_policy(folder)


def _taken_over(node: Any, shape: Shape, source: str, name: str) -> Any:
    """A part of a policy's YAML with everything an assumption; what stood there before is told in the note."""
    if isinstance(node, list):
        return [_taken_over(each, shape.at("0") or shape, source, name) for each in node]
    if not isinstance(node, dict):
        return node
    result = {key: _taken_over(each, shape.at(str(key)) or Shape(), source, name) for key, each in node.items()}
    if "evidence" not in shape.names:
        return result
    for gone in ("effective_from", "effective_to", "earlier"):
        result.pop(gone, None)
    evidence, known = result.pop("evidence", None), result.pop("source", None)
    note = str(result.pop("note", ""))
    if shape.evident:
        result |= {"source": source, "evidence": Evidence.ASSUMPTION.value}
    if evidence is not None:
        note = f"{name}: {evidence}, {known}" + (f"; {note}" if note else "")
    return result | ({"note": note} if note else {})


def _about(section: str, stands: bool) -> Iterator[str]:
    """The comment before a section, with an example of one that the base lacks."""
    model = shape_of(PolicyFile.model_fields[section].annotation).model
    said = spoken(SECTIONS[section])
    yield ""
    yield from _comment(said if section == "id" else f"{section}: {said}")
    if not stands:
        yield from _comment(spoken(_example(section, model)))


def _example(section: str, model: type[BaseModel] | None) -> Text:
    names = [
        name
        for name in (model.model_fields if model is not None else ())
        if name not in ("note", "effective_from", "effective_to")
    ]
    if names and "value" not in names:
        return text("(not stated; its parts would be {names})", names=", ".join(names))
    return text("(not stated; to add it, state {section})", section=section)


def _comment(words: str) -> list[str]:
    return [f"# {line}" for line in wrap(words, WIDTH - 2)]
