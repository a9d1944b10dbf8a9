"""Shared fixtures: one scheme, one compiled grouper, the facts folder where it is there."""

from __future__ import annotations

import csv
import gc
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores: threads of their libraries would wait for each other
os.environ["DRGSIM_LANG"] = "en"  # whatever the machine speaks; tests of Chinese choose it

import pytest
from hypothesis import HealthCheck, settings

import drgsim
from drgsim.engines.bundled_proof import bundled_cases
from drgsim.units.drg.drg_grouper import DrgGrouper
from drgsim.units.schemes.scheme import Scheme

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

settings.register_profile("drgsim", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("drgsim")

# several loaded schemes are some million objects that stay: a collector at its usual pace walks them over and over
gc.set_threshold(100_000, 20, 10)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n``, the tests of a file stay on one worker: what it loads, reads and builds once is made once."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session")
def scheme() -> Scheme:
    return drgsim.load_scheme("chs-drg-2.0")


@pytest.fixture(scope="session")
def grouper(scheme: Scheme) -> DrgGrouper:
    return DrgGrouper(scheme)


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The full conformance cases of the scheme where they are at hand, else the bundled slice."""
    full = SHARED / "conformance" / "chs-drg-2.0.csv"
    return full if full.is_file() else bundled_cases("chs-drg-2.0")


@pytest.fixture(scope="session")
def sample_rows() -> list[dict[str, str]]:
    with bundled_cases("chs-drg-2.0").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
