"""The synthetic region (合成数据): invented discharges, labelled as such, close enough to life to test with."""

from drgsim.synthetic.synthetic_region import Summary, generate_region, parse_years

__all__ = ["Summary", "generate_region", "parse_years"]
