"""drgsim: how China's hospitals are paid by case; every verb of the command line is a function here.

>>> import drgsim
>>> scheme = drgsim.load_scheme("chs-drg-2.0")
>>> record = {"diagnoses": "I50.101|N18.900", "procedures": "", "sex": 2, "age": 78}
>>> drgsim.explain(record, scheme).drg
'FR25'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from drgsim.version import __version__

if TYPE_CHECKING:
    from drgsim.api.atlas_verb import Atlas as Atlas
    from drgsim.api.atlas_verb import atlas as atlas
    from drgsim.api.budget_verbs import BudgetYears as BudgetYears
    from drgsim.api.budget_verbs import Calibrated as Calibrated
    from drgsim.api.budget_verbs import budget as budget
    from drgsim.api.budget_verbs import calibrate as calibrate
    from drgsim.api.code_verbs import CodeAnswers as CodeAnswers
    from drgsim.api.code_verbs import codes_search as codes_search
    from drgsim.api.code_verbs import codes_show as codes_show
    from drgsim.api.demo_verb import Demo as Demo
    from drgsim.api.demo_verb import demo as demo
    from drgsim.api.dip_making_verbs import dip_build as dip_build
    from drgsim.api.dip_making_verbs import dip_score as dip_score
    from drgsim.api.dip_results import CatalogueChanges as CatalogueChanges
    from drgsim.api.dip_results import CatalogueTables as CatalogueTables
    from drgsim.api.dip_results import Specifications as Specifications
    from drgsim.api.dip_results import SupervisionLists as SupervisionLists
    from drgsim.api.dip_verbs import dip_diff as dip_diff
    from drgsim.api.dip_verbs import dip_report as dip_report
    from drgsim.api.dip_verbs import dip_specs as dip_specs
    from drgsim.api.dip_verbs import dip_supervise as dip_supervise
    from drgsim.api.explaining_verbs import Explanations as Explanations
    from drgsim.api.explaining_verbs import explain as explain
    from drgsim.api.grouping_verbs import GroupedFiles as GroupedFiles
    from drgsim.api.grouping_verbs import Groups as Groups
    from drgsim.api.grouping_verbs import group as group
    from drgsim.api.grouping_verbs import group_files as group_files
    from drgsim.api.mapping_verb import ColumnMap as ColumnMap
    from drgsim.api.mapping_verb import map_columns as map_columns
    from drgsim.api.migration_verbs import Migrated as Migrated
    from drgsim.api.migration_verbs import migrate as migrate
    from drgsim.api.new_verbs import NewFiles as NewFiles
    from drgsim.api.new_verbs import new_input as new_input
    from drgsim.api.new_verbs import new_map as new_map
    from drgsim.api.new_verbs import new_policy as new_policy
    from drgsim.api.new_verbs import new_region as new_region
    from drgsim.api.new_verbs import new_scenario as new_scenario
    from drgsim.api.new_verbs import new_scheme as new_scheme
    from drgsim.api.pack_verbs import WrittenPack as WrittenPack
    from drgsim.api.pack_verbs import schemes_export as schemes_export
    from drgsim.api.pack_verbs import schemes_import as schemes_import
    from drgsim.api.pack_verbs import schemes_new as schemes_new
    from drgsim.api.page_verb import GrouperPage as GrouperPage
    from drgsim.api.page_verb import grouper_page as grouper_page
    from drgsim.api.payment_verbs import Settled as Settled
    from drgsim.api.payment_verbs import settle as settle
    from drgsim.api.policy_verbs import PolicyCurves as PolicyCurves
    from drgsim.api.policy_verbs import PolicyTable as PolicyTable
    from drgsim.api.policy_verbs import policies as policies
    from drgsim.api.policy_verbs import policy_check as policy_check
    from drgsim.api.policy_verbs import policy_explain as policy_explain
    from drgsim.api.policy_verbs import policy_new as policy_new
    from drgsim.api.policy_verbs import policy_plot as policy_plot
    from drgsim.api.policy_verbs import policy_schema as policy_schema
    from drgsim.api.policy_verbs import policy_show as policy_show
    from drgsim.api.proof_verb import SchemesProved as SchemesProved
    from drgsim.api.proof_verb import schemes_prove as schemes_prove
    from drgsim.api.quality_verbs import CheckedRecords as CheckedRecords
    from drgsim.api.quality_verbs import validate as validate
    from drgsim.api.reading_verbs import Discharges as Discharges
    from drgsim.api.reading_verbs import read as read
    from drgsim.api.region_verbs import load_region as load_region
    from drgsim.api.report_verb import Report as Report
    from drgsim.api.report_verb import report_on as report_on
    from drgsim.api.scenario_verbs import ScenarioTable as ScenarioTable
    from drgsim.api.scenario_verbs import scenario_check as scenario_check
    from drgsim.api.scenario_verbs import scenario_describe as scenario_describe
    from drgsim.api.scenario_verbs import scenario_paths as scenario_paths
    from drgsim.api.scenario_verbs import scenarios as scenarios
    from drgsim.api.scheme_diff_verb import SchemeChanges as SchemeChanges
    from drgsim.api.scheme_diff_verb import schemes_diff as schemes_diff
    from drgsim.api.scheme_verbs import SchemeCheck as SchemeCheck
    from drgsim.api.scheme_verbs import SchemeTable as SchemeTable
    from drgsim.api.scheme_verbs import schemes as schemes
    from drgsim.api.scheme_verbs import schemes_check as schemes_check
    from drgsim.api.scheme_verbs import schemes_show as schemes_show
    from drgsim.api.selftest_verbs import SelfTested as SelfTested
    from drgsim.api.selftest_verbs import selftest as selftest
    from drgsim.api.simulation_verbs import Compared as Compared
    from drgsim.api.simulation_verbs import Simulated as Simulated
    from drgsim.api.simulation_verbs import compare as compare
    from drgsim.api.simulation_verbs import simulate as simulate
    from drgsim.api.switch_verb import Switched as Switched
    from drgsim.api.switch_verb import switch as switch
    from drgsim.api.synth_verbs import MadeRegion as MadeRegion
    from drgsim.api.synth_verbs import synth as synth
    from drgsim.api.synth_verbs import synth_priors as synth_priors
    from drgsim.api.weight_verbs import CoefficientTables as CoefficientTables
    from drgsim.api.weight_verbs import WeightTables as WeightTables
    from drgsim.api.weight_verbs import coefficients as coefficients
    from drgsim.api.weight_verbs import weights as weights
    from drgsim.assets import sample_path as sample_path
    from drgsim.engines.one_record import CaseGroup as CaseGroup
    from drgsim.engines.one_record import Grouper as Grouper
    from drgsim.errors import DrgsimError as DrgsimError
    from drgsim.payment.policy import Policy as Policy
    from drgsim.payment.policy import load_policy as load_policy
    from drgsim.payment.weight_estimation import WeightSettings as WeightSettings
    from drgsim.records.input_options import InputOptions as InputOptions
    from drgsim.region.region_folder import RegionFolder as RegionFolder
    from drgsim.results.result import Result as Result
    from drgsim.units.schemes.pack import load_scheme as load_scheme
    from drgsim.units.schemes.pack import scheme_ids as scheme_ids

# Public name -> module that has it: imported on first use, so that `import drgsim` waits for no numba and no Arrow.
# No name may be that of a package of drgsim: importing the package would put it in the place of the function.
_HOMES = {
    "Atlas": "drgsim.api.atlas_verb",
    "atlas": "drgsim.api.atlas_verb",
    "budget": "drgsim.api.budget_verbs",
    "BudgetYears": "drgsim.api.budget_verbs",
    "calibrate": "drgsim.api.budget_verbs",
    "Calibrated": "drgsim.api.budget_verbs",
    "CaseGroup": "drgsim.engines.one_record",
    "CatalogueChanges": "drgsim.api.dip_results",
    "CatalogueTables": "drgsim.api.dip_results",
    "CheckedRecords": "drgsim.api.quality_verbs",
    "CodeAnswers": "drgsim.api.code_verbs",
    "codes_search": "drgsim.api.code_verbs",
    "codes_show": "drgsim.api.code_verbs",
    "coefficients": "drgsim.api.weight_verbs",
    "CoefficientTables": "drgsim.api.weight_verbs",
    "ColumnMap": "drgsim.api.mapping_verb",
    "compare": "drgsim.api.simulation_verbs",
    "Compared": "drgsim.api.simulation_verbs",
    "Demo": "drgsim.api.demo_verb",
    "demo": "drgsim.api.demo_verb",
    "dip_build": "drgsim.api.dip_making_verbs",
    "dip_diff": "drgsim.api.dip_verbs",
    "dip_report": "drgsim.api.dip_verbs",
    "dip_score": "drgsim.api.dip_making_verbs",
    "dip_specs": "drgsim.api.dip_verbs",
    "dip_supervise": "drgsim.api.dip_verbs",
    "Discharges": "drgsim.api.reading_verbs",
    "DrgsimError": "drgsim.errors",
    "explain": "drgsim.api.explaining_verbs",
    "Explanations": "drgsim.api.explaining_verbs",
    "group": "drgsim.api.grouping_verbs",
    "group_files": "drgsim.api.grouping_verbs",
    "GroupedFiles": "drgsim.api.grouping_verbs",
    "Grouper": "drgsim.engines.one_record",
    "grouper_page": "drgsim.api.page_verb",
    "GrouperPage": "drgsim.api.page_verb",
    "Groups": "drgsim.api.grouping_verbs",
    "InputOptions": "drgsim.records.input_options",
    "load_policy": "drgsim.payment.policy",
    "load_region": "drgsim.api.region_verbs",
    "load_scheme": "drgsim.units.schemes.pack",
    "MadeRegion": "drgsim.api.synth_verbs",
    "map_columns": "drgsim.api.mapping_verb",
    "migrate": "drgsim.api.migration_verbs",
    "Migrated": "drgsim.api.migration_verbs",
    "new_input": "drgsim.api.new_verbs",
    "new_map": "drgsim.api.new_verbs",
    "new_policy": "drgsim.api.new_verbs",
    "new_region": "drgsim.api.new_verbs",
    "new_scenario": "drgsim.api.new_verbs",
    "new_scheme": "drgsim.api.new_verbs",
    "NewFiles": "drgsim.api.new_verbs",
    "policies": "drgsim.api.policy_verbs",
    "Policy": "drgsim.payment.policy",
    "policy_check": "drgsim.api.policy_verbs",
    "policy_explain": "drgsim.api.policy_verbs",
    "policy_new": "drgsim.api.policy_verbs",
    "policy_plot": "drgsim.api.policy_verbs",
    "policy_schema": "drgsim.api.policy_verbs",
    "policy_show": "drgsim.api.policy_verbs",
    "PolicyCurves": "drgsim.api.policy_verbs",
    "PolicyTable": "drgsim.api.policy_verbs",
    "read": "drgsim.api.reading_verbs",
    "RegionFolder": "drgsim.region.region_folder",
    "Report": "drgsim.api.report_verb",
    "report_on": "drgsim.api.report_verb",
    "Result": "drgsim.results.result",
    "sample_path": "drgsim.assets",
    "scenario_check": "drgsim.api.scenario_verbs",
    "scenario_describe": "drgsim.api.scenario_verbs",
    "scenario_paths": "drgsim.api.scenario_verbs",
    "scenarios": "drgsim.api.scenario_verbs",
    "ScenarioTable": "drgsim.api.scenario_verbs",
    "scheme_ids": "drgsim.units.schemes.pack",
    "SchemeChanges": "drgsim.api.scheme_diff_verb",
    "SchemeCheck": "drgsim.api.scheme_verbs",
    "schemes": "drgsim.api.scheme_verbs",
    "schemes_check": "drgsim.api.scheme_verbs",
    "schemes_diff": "drgsim.api.scheme_diff_verb",
    "schemes_export": "drgsim.api.pack_verbs",
    "schemes_import": "drgsim.api.pack_verbs",
    "schemes_new": "drgsim.api.pack_verbs",
    "schemes_prove": "drgsim.api.proof_verb",
    "schemes_show": "drgsim.api.scheme_verbs",
    "SchemesProved": "drgsim.api.proof_verb",
    "SchemeTable": "drgsim.api.scheme_verbs",
    "selftest": "drgsim.api.selftest_verbs",
    "SelfTested": "drgsim.api.selftest_verbs",
    "settle": "drgsim.api.payment_verbs",
    "Settled": "drgsim.api.payment_verbs",
    "simulate": "drgsim.api.simulation_verbs",
    "Simulated": "drgsim.api.simulation_verbs",
    "Specifications": "drgsim.api.dip_results",
    "SupervisionLists": "drgsim.api.dip_results",
    "switch": "drgsim.api.switch_verb",
    "Switched": "drgsim.api.switch_verb",
    "synth": "drgsim.api.synth_verbs",
    "synth_priors": "drgsim.api.synth_verbs",
    "validate": "drgsim.api.quality_verbs",
    "weights": "drgsim.api.weight_verbs",
    "WeightSettings": "drgsim.payment.weight_estimation",
    "WeightTables": "drgsim.api.weight_verbs",
    "WrittenPack": "drgsim.api.pack_verbs",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'drgsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
