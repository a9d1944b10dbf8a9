"""The synthetic region (合成数据): invented discharges, labelled as such, close enough to life to test with."""

from drgsim.synthetic.region_priors import export_priors, load_priors
from drgsim.synthetic.region_request import RegionRequest, parse_years
from drgsim.synthetic.region_summary import Summary
from drgsim.synthetic.synthetic_region import generate_region

__all__ = ["RegionRequest", "Summary", "export_priors", "generate_region", "load_priors", "parse_years"]
