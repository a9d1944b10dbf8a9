"""The synthetic region (合成数据): invented discharges, labelled as such, close enough to life to test with."""

from drgsim.synthetic.region_summary import Summary
from drgsim.synthetic.synthetic_region import generate_region, parse_years

__all__ = ["Summary", "generate_region", "parse_years"]
