"""What a fork of :mod:`tests.campaign.forked_calls` finds loaded; no thread is started here."""

from __future__ import annotations

import drgsim.api.dip_making_verbs
import drgsim.api.grouping_verbs
import drgsim.api.payment_verbs
import drgsim.cli.main
import drgsim.units.dip.dip_kernel
import drgsim.units.drg.drg_grouper  # noqa: F401
