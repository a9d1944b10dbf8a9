"""Policy files: what ships is sound, and every mistake in a file is reported at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from drgsim.api.policy_verbs import policy_check
from drgsim.assets import asset_root
from drgsim.cli.main import app
from drgsim.parameters.evidence import Evidence
from drgsim.parameters.evident_values import evident_nodes
from drgsim.payment import policy_summaries
from drgsim.payment.policy import PolicyError, load_policy, policy_names, read_folder
from drgsim.payment.policy_model import Table
from tests.payment_policies import WRITTEN_POLICIES

RUN = CliRunner()
ROOT = asset_root("payment_tables")
ISSUE = (
    "beijing/2022", "beijing/2024", "tianjin/2025", "lanzhou/2023", "qingyang/2023", "harbin/2022", "suzhou/2023",
    "quanzhou/undated", "xian/2024", "ningbo/2022", "jinhua/undated", "jiaxing/undated", "zhoukou/2023", "zhejiang/2025",
    "yinchuan/2023", "taian/2025", "jining/undated", "national/2.0",
)  # fmt: skip


def test_the_promised_policies_ship() -> None:
    assert set(ISSUE) <= set(policy_names())


@pytest.mark.parametrize("name", WRITTEN_POLICIES)
def test_every_value_carries_unit_source_and_evidence(name: str) -> None:
    policy = load_policy(name)
    assert policy.id == name
    assert policy.parameters
    for parameter in policy.parameters:
        assert parameter.source in policy.file.sources, parameter.path
        assert parameter.unit or parameter.path.startswith("group_classes"), parameter.path
        if parameter.source == "rulebook-g":
            assert parameter.evidence is Evidence.ASSUMPTION, parameter.path
        if parameter.source in ("rulebook-1.8", "rulebook-2.4"):
            assert parameter.evidence in (Evidence.SECONDARY, Evidence.DERIVED), parameter.path


def test_the_same_statement_of_a_source_is_as_well_founded_in_every_policy() -> None:
    """A statement is a value of one parameter as one source gives it; tables are what they hold, not what they are called."""
    found: dict[tuple[str, str, str], dict[Evidence, list[str]]] = {}
    for policy in map(load_policy, policy_names()):
        for path, node in evident_nodes(policy.file):
            said = policy.id if isinstance(node, Table) else str(node.shown)
            key = (path, policy.file.sources[node.source].title, said)
            found.setdefault(key, {}).setdefault(node.evidence, []).append(policy.id)
    assert len(found) > 90
    assert {key: by_evidence for key, by_evidence in found.items() if len(by_evidence) > 1} == {}


REREAD = ("mirror", "restated", "not checked", "excerpt", "consultancy", "reading of", "draft")


@pytest.mark.parametrize("name", WRITTEN_POLICIES)
def test_official_is_only_what_the_issuing_body_itself_said(name: str) -> None:
    policy = load_policy(name)
    for parameter in policy.parameters:
        if parameter.evidence is Evidence.OFFICIAL:
            read_in = policy.file.sources[parameter.source].read_in
            assert not any(word in read_in for word in REREAD), parameter.path


def test_pieces_of_a_curve_may_have_their_own_evidence() -> None:
    found = {p.path: p for p in load_policy("zhejiang/2025").parameters}
    assert found["curves.main"].evidence is Evidence.SECONDARY
    assert found["curves.main.bands.0"].evidence is Evidence.ASSUMPTION
    assert found["curves.main.pieces.3"].value == "high up to the end: k + x - K"
    assert "curves.main.pieces.2" not in found, "a piece without its own has the evidence of its curve"
    reading = found["curves.main.pieces.1"]
    assert (reading.evidence, "our reading" in reading.note) == (Evidence.ASSUMPTION, True)


def test_beijing_counts_of_the_founding_document() -> None:
    for name, weighted, by_item in (("beijing/2022", 647, 49), ("beijing/2024", 632, 50)):
        prices = load_policy(name).prices
        assert prices is not None
        assert int((prices.column("weight") > 0).sum()) == weighted
        assert prices.classes.count("by_item") == by_item


def test_suzhou_published_rate_and_coefficients_agree() -> None:
    policy = load_policy("suzhou/2023")
    prices = policy.prices
    assert prices is not None
    place = prices.places["AA19"]
    assert prices.column("weight")[place] * 8728.3 * prices.column("coef_3")[place] == pytest.approx(311076.612)


def _copy(tmp_path: Path, name: str = "qingyang/2023") -> Path:
    folder = tmp_path / name
    shutil.copytree(ROOT / name, folder)
    return folder


def _edit(folder: Path, old: str, new: str) -> None:
    path = folder / "policy.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_all_mistakes_are_reported_at_once_with_path_and_suggestion(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    _edit(folder, "ambiguous:", "ambigous:")
    _edit(folder, "method: rate", "method: rat")
    _edit(folder, "evidence: secondary", "evidence: seconday")
    _, problems = read_folder(folder)
    text = "\n".join(map(str, problems))
    assert "ambigous is no parameter" in text
    assert "did you mean ambiguous?" in text
    assert "did you mean rate?" in text
    assert "did you mean secondary?" in text
    assert len(problems) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("k*(1 + 0.7*(r - K))", "k*(1 + 0.7*(r - Q))", "uses 'Q'"),
        ("k*(1 + 0.7*(r - K))", "k*r*r", "not linear"),
        ("k*(1 + 0.7*(r - K))", "__import__('os')", "something other than"),
        ("upto: 0.4", "upto: 4", "do not rise"),
        ("K: 2.5}", "K: 2.5}\n      - {}", ""),
        ("rulebook-1.8, evidence: secondary}", "rulebook-1.9, evidence: secondary}", "did you mean rulebook-1.8?"),
        ("region_zh: 庆阳市", "region_zh: 庆阳市\nregion_zh: 庆阳市", "stands twice"),
        ("upto: K, closed: true, ", "", "only the last piece"),
    ],
)
def test_mistakes_in_curves_and_sources(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = _copy(tmp_path)
    _edit(folder, old, new)
    _, problems = read_folder(folder)
    assert problems
    assert message in "\n".join(map(str, problems))


def test_mistakes_in_tables(tmp_path: Path) -> None:
    folder = _copy(tmp_path, "suzhou/2023")
    path = folder / "weights.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("29.7", "heavy")
    path.write_text("\n".join([*lines, lines[2]]) + "\n", encoding="utf-8")
    _, problems = read_folder(folder)
    assert {problem.code for problem in problems} == {"policy-table-number", "policy-table-row"}
    path.unlink()
    _, problems = read_folder(folder)
    assert [problem.code for problem in problems] == ["policy-missing-table"]


def test_an_unknown_policy_is_refused_with_a_suggestion() -> None:
    with pytest.raises(PolicyError, match=r"did you mean beijing/2024\?"):
        load_policy("bejing/2024")


def test_changes_by_path_share_the_table_and_mark_the_evidence() -> None:
    policy = load_policy("suzhou/2023")
    changed = policy.changed({"unit_value.*": "*1.03", "curves.main.bands.0.K": 2.5, "stays.long_days": 90})
    assert changed.prices is policy.prices
    assert changed.file.unit_value is not None
    assert changed.file.unit_value.values["*"] == pytest.approx(8728.3 * 1.03)
    assert changed.file.unit_value.evidence is Evidence.ASSUMPTION
    assert changed.file.curves["main"].bands[0].K == 2.5
    assert changed.file.stays.long_days is not None
    assert changed.file.stays.long_days.value == 90
    assert policy.file.unit_value is not None
    assert policy.file.unit_value.values["*"] == 8728.3
    with pytest.raises(PolicyError, match="no parameter of this policy") as caught:
        policy.changed({"unit_valu.*": 3, "stays.long_dys": 5})
    assert len(caught.value.problems) == 2


def test_the_schema_for_editors_is_that_of_the_model() -> None:
    from drgsim.payment.policy_model import PolicyFile

    shipped = json.loads((ROOT / "policy.schema.json").read_text(encoding="utf-8"))
    assert shipped == PolicyFile.model_json_schema(), "drgsim policy schema -o payment_tables/policy.schema.json"


def test_commands(tmp_path: Path) -> None:
    assert "beijing/2022" in RUN.invoke(app, ["policy", "list"]).output
    shown = RUN.invoke(app, ["policy", "show", "beijing/2022", "--json"])
    assert {"official", "assumption", "derived"} <= {entry["evidence"] for entry in json.loads(shown.output)}
    text = RUN.invoke(app, ["policy", "show", "beijing/2022"]).output
    assert "assumption" in text
    assert "10234.16" in RUN.invoke(app, ["policy", "explain", "ningbo/2022", "reference.mean_cost"]).output
    assert "properties" in json.loads(RUN.invoke(app, ["policy", "schema"]).output)
    plot = RUN.invoke(app, ["policy", "plot", "harbin/2022", "-o", str(tmp_path / "p.html")])
    assert "from 1 to 1.7 (+0.7)" in plot.output
    assert (tmp_path / "p.html").stat().st_size > 1000
    page = (tmp_path / "p.html").read_bytes()
    assert b"<td>secondary</td>" in page
    RUN.invoke(app, ["policy", "plot", "harbin/2022", "-o", str(tmp_path / "p.html")])
    assert (tmp_path / "p.html").read_bytes() == page
    good = RUN.invoke(app, ["policy", "check", str(ROOT / "ningbo" / "2022")])
    assert good.exit_code == 0
    folder = _copy(tmp_path)
    _edit(folder, "method: rate", "method: rat")
    assert RUN.invoke(app, ["policy", "check", str(folder)]).exit_code == 1


def test_show_names_the_sources() -> None:
    title = load_policy("beijing/2024").file.sources["notice-2025-18"].title
    shown = RUN.invoke(app, ["policy", "show", "beijing/2024"]).stdout
    assert "".join(f"{title} (notice-2025-18)".split()) in "".join(shown.split())  # however wide the terminal is
    rows = json.loads(RUN.invoke(app, ["policy", "show", "beijing/2024", "--json"]).stdout)
    assert title in {row["source_title"] for row in rows}
    assert all(row["source_title"] for row in rows)
    terms = json.loads(RUN.invoke(app, ["policy", "show", "general", "--budget", "--json"]).stdout)
    assert all(row["source_title"] for row in terms)


def test_a_list_is_kept_by_the_contents_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "payment_tables"
    for name in ("qingyang/2023", "beijing/2022"):
        shutil.copytree(ROOT / name, root / name)
    monkeypatch.setenv("DRGSIM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(policy_summaries, "asset_root", lambda name: tmp_path / name)
    monkeypatch.setattr(policy_summaries, "policy_names", lambda: policy_names(root))
    read: list[str] = []
    monkeypatch.setattr(policy_summaries, "load_policy", lambda name: read.append(name) or load_policy(root / name))
    first = policy_summaries.policy_summaries()
    assert [one["id"] for one in first] == read == ["beijing/2022", "qingyang/2023"]
    assert policy_summaries.policy_summaries() == first
    assert len(read) == 2, "kept"
    _edit(root / "qingyang" / "2023", "method: rate", "method: points")
    assert [one["method"] for one in policy_summaries.policy_summaries()] == ["rate", "points"]
    assert first[0] == policy_summaries.summary_of(load_policy("beijing/2022"))


def test_lists_and_notes_fit_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (["policy", "list"], ["policy", "show", "beijing/2024"], ["policy", "explain", "beijing/2024", "curves"]):
        lines = RUN.invoke(app, arguments).output.splitlines()
        assert max(map(cell_len, lines)) <= 80, arguments


# -- copies of a table that disagree -----------------------------------------------------------------------------------
def test_yinchuan_takes_each_column_from_one_copy_of_its_table() -> None:
    first, second = load_policy("yinchuan/2023"), load_policy("yinchuan/2023-b")
    assert first.prices is not None
    assert second.prices is not None
    assert not any(first.prices.tags)
    assert sum(tag == "基础病组标识" for tag in second.prices.tags) == 26
    points = {code: (first.prices.column("points")[row], second.prices.column("points")[second.prices.places[code]])
              for code, row in first.prices.places.items()}  # fmt: skip
    differ = [code for code, (one, two) in points.items() if one != two]
    assert len(differ) == 25
    assert all(points[code][0] > points[code][1] and second.prices.tags[second.prices.places[code]] for code in differ)
    assert points["BR25"] == (1889.47, 1508.26)
    assert set(first.file.other_copies) == {"yinchuan/2023-b"}
    assert set(second.file.other_copies) == {"yinchuan/2023"}
    assert "other copy" in RUN.invoke(app, ["policy", "show", "yinchuan/2023"]).output


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("other_copies:\n  yinchuan/2023-b:", "other_copies:\n  yinchuan/2021:", "policy-tables-disagree"),
        ("other_copies:\n", "other_copies:\n  yinchuan/2020: gone\n", "policy-other-copy"),
        ("", "", "policy-other-copy"),
    ],
)
def test_tables_that_disagree_are_told(tmp_path: Path, old: str, new: str, code: str) -> None:
    for name in ("2023", "2023-b"):
        shutil.copytree(ROOT / "yinchuan" / name, tmp_path / "yinchuan" / name)
    if not old:  # both copies say the same
        shutil.copy(tmp_path / "yinchuan" / "2023-b" / "weights.csv", tmp_path / "yinchuan" / "2023" / "weights.csv")
    path = tmp_path / "yinchuan" / "2023" / "policy.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    checked = policy_check(tmp_path / "yinchuan" / "2023")
    assert not checked.ok
    assert code in "\n".join(map(str, checked.notes))
    if code == "policy-tables-disagree":
        assert "25 groups" in "\n".join(map(str, checked.notes))
        assert "has other points for BR25" in "\n".join(map(str, checked.notes))
