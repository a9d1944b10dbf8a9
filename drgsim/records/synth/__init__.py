"""The synthetic region (合成数据): hospital discharges that are made, labelled as such, and close enough to life to test with."""

from drgsim.records.synth.region import Summary, generate_region, parse_years

__all__ = ["Summary", "generate_region", "parse_years"]
