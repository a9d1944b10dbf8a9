"""The campaign within the suite: a small part of each category; the whole with ``pytest -m campaign``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.campaign.__main__ import campaign
from tests.campaign.tally import Tally

SMALL = 0.002  # of a whole run: some 2,000 records, 10 files, a kill of each kind
QUICK = ("kills", "records", "files", "yaml", "injections")


def _told(tally: Tally) -> str:
    return "\n".join([tally.table(), *tally.lines])


@pytest.fixture(autouse=True)
def _short_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets of processes lie in the folder for temporary files, whose path another test may have made long."""
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_a_small_campaign_breaks_nothing(tmp_path: Path) -> None:
    tally = campaign(tmp_path / "failures", seed=1, share=SMALL, only=QUICK)
    assert len(tally.tried) == len(QUICK), "every category was tried"
    assert not tally.lines, _told(tally)


def test_a_failure_is_counted_and_its_input_kept(tmp_path: Path) -> None:
    (tmp_path / "input.csv").write_text("a\n", encoding="utf-8")
    tally = Tally(tmp_path / "failures", tmp_path, 7)
    tally.count("files", 3)
    tally.fail("files", 2, "lost a record", tmp_path / "input.csv")
    assert tally.table().splitlines()[1].split() == ["files", "3", "1"]
    assert (tmp_path / "failures" / "files-7-2" / "input.csv").is_file()


@pytest.mark.campaign
def test_a_whole_campaign_breaks_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("DRGSIM_CAMPAIGN_SEED", "1"))
    tally = campaign(Path(os.environ.get("DRGSIM_CAMPAIGN_KEEP", tmp_path / "failures")), seed=seed)
    assert not tally.lines, _told(tally)
