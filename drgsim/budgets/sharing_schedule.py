"""Who keeps a surplus and who bears an overspend, by bands of the ratio of what is due to the index."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from drgsim.language import joined, text
from drgsim.money import exact
from drgsim.parameters.evidence import Evident, Strict

Share = float | Annotated[str, Field(pattern=r"^[0-9]+(/[1-9][0-9]*)?$")]


class ShareBand(Strict):
    """A band of r = amount due by units / index, from ``lower`` to ``upper`` (none: no end).

    ``fund_share`` is the fund's share of each yuan of surplus or overspend inside the band, so that what is settled is
    linear there. A fraction such as "10/9" is kept exactly; above 1 the fund takes back more than the band's surplus.
    """

    lower: float
    upper: float | None = None
    fund_share: Share

    @property
    def share(self) -> Fraction:
        """The fund's share, exactly."""
        return exact(self.fund_share)


class Schedule(Evident):
    """Who keeps a surplus (结余留用) and who bears an overspend (超支分担), in bands that leave no gap."""

    title: str
    title_zh: str
    surplus: tuple[ShareBand, ...] = Field(min_length=1)
    overspend: tuple[ShareBand, ...] = Field(min_length=1)

    @property
    def shown(self) -> str:
        """The bands in words."""
        return joined(
            text("; "),
            (
                text(
                    "{name} {lower:g} to {upper}: fund {share}", name=name, lower=band.lower, upper=_end(band),
                    share=band.fund_share,
                )
                for name, bands in (("surplus", self.surplus), ("overspend", self.overspend))
                for band in bands
            ),
        )  # fmt: skip

    @model_validator(mode="after")
    def _tile(self) -> Schedule:
        faults = []
        for name, bands, start, end in (("surplus", self.surplus, 0.0, 1.0), ("overspend", self.overspend, 1.0, None)):
            if bands[0].lower != start:
                faults.append(
                    text("{name} starts at {lower:g}, not at {start:g}", name=name, lower=bands[0].lower, start=start)
                )
            if bands[-1].upper != end:
                faults.append(
                    text(
                        "{name} ends at {upper}, not at {end}",
                        name=name,
                        upper=bands[-1].upper,
                        end="1" if end else text("no upper limit"),
                    )
                )
            for band, following in pairwise(bands):
                if band.upper != following.lower:
                    faults.append(
                        text(
                            "{name} has a gap or an overlap between {upper} and {lower:g}",
                            name=name,
                            upper=band.upper,
                            lower=following.lower,
                        )
                    )
            faults += [
                text("{name}: {upper} is not above {lower:g}", name=name, upper=band.upper, lower=band.lower)
                for band in bands
                if not _rises(band)
            ]
            if any(band.share < 0 for band in bands):
                faults.append(text("{name} has a share below 0", name=name))
        if any(band.share > 1 for band in self.overspend):
            faults.append(text("overspend has a share above 1: the fund would pay more than was spent"))
        if not faults and sum((exact(band.upper or 0) - exact(band.lower)) * band.share for band in self.surplus) > 1:
            faults.append(text("surplus takes back more than the whole index"))
        if faults:
            raise ValueError(joined(text("; "), faults))
        return self


def _rises(band: ShareBand) -> bool:
    return band.upper is None or band.upper > band.lower


def _end(band: ShareBand) -> str:
    return text("more") if band.upper is None else format(band.upper, "g")
