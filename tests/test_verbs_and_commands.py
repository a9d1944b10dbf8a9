"""Every command is a function of drgsim with the same options and the same defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module

import pytest

import drgsim

# what a command says of its input, where it writes and what it shows, and what stands for it in Python
READING = {"format", "maps", "map_file", "code_version", "sheets", "source_column"}  # one drgsim.InputOptions
SHOWN = {"output", "page", "as_json", "quiet", "export_priors", "min_grouped"}
RENAMED = {"change": "changes", "year": "years", "scenario": "scenarios"}
RECORDS = {"cases", "records"}  # in the place of ``inputs``
COMMANDS: dict[str, tuple[str, str]] = {
    "group": ("group_command", "group"),
    "map_columns": ("map_command", "map_columns"),
    "validate": ("validate_command", "validate"),
    "migrate": ("migrate_command", "migrate"),
    "dip_build": ("dip_command", "build"),
    "dip_score": ("dip_command", "score"),
    "report_on": ("report_command", "report"),
    "settle": ("settle_command", "settle"),
    "atlas": ("atlas_command", "atlas"),
    "weights": ("weights_command", "weights"),
    "coefficients": ("coefficients_command", "coefficients"),
    "budget": ("budget_command", "budget"),
    "calibrate": ("calibrate_command", "calibrate"),
    "simulate": ("simulate_command", "simulate"),
    "switch": ("switch_command", "switch"),
    "compare": ("compare_command", "compare"),
    "policies": ("policy_command", "list_policies"),
    "policy_show": ("policy_command", "show"),
    "policy_check": ("policy_command", "check"),
    "policy_explain": ("policy_command", "explain"),
    "policy_plot": ("policy_command", "plot"),
    "policy_schema": ("policy_command", "schema"),
    "policy_new": ("policy_command", "new"),
    "scenarios": ("scenarios_command", "list_scenarios"),
    "scenario_describe": ("scenarios_command", "describe"),
    "scenario_check": ("scenarios_command", "check"),
    "scenario_paths": ("scenarios_command", "paths"),
    "demo": ("demo_command", "demo"),
    "synth": ("synth_command", "synth"),
    "selftest": ("selftest_command", "selftest"),
}
SETTINGS = {
    "minimum_cases", "maximum_cv", "unstable", "smoothing", "smooth_to", "monotone", "year_mode", "target", "factor",
}  # fmt: skip  # of the weights: one drgsim.WeightSettings
TRIM = {"low", "high"}  # of ``trim=(method, low, high)``


def default_of(function: Callable[..., object], name: str) -> object:
    """The default of a parameter; nothing, an empty text and an empty list all mean "not said"."""
    value = inspect.signature(function).parameters[name].default
    return None if value is inspect.Parameter.empty or value == "" or value == () else value


@pytest.mark.parametrize("verb", COMMANDS)
def test_the_options_of_a_command_are_those_of_the_function(verb: str) -> None:
    module, name = COMMANDS[verb]
    command = getattr(import_module(f"drgsim.cli.{module}"), name)
    function = getattr(drgsim, verb)
    known = set(inspect.signature(function).parameters)
    assert function.__doc__
    for option in inspect.signature(command).parameters:
        if option in SHOWN and option not in known:
            continue
        if option in READING:
            assert "reading" in known
        elif option == "inputs" and option not in known:
            assert RECORDS & known
        elif verb == "weights" and option in SETTINGS | TRIM:
            assert {"settings", "trim"} <= known
        else:
            own = option if option in known else RENAMED[option]
            assert own in known, f"{verb} has no {option}"
            same = str(default_of(function, own)) == str(default_of(command, option))
            assert same, f"{option} of {verb}"


def test_the_settings_of_weights_have_the_defaults_of_the_command() -> None:
    from drgsim.cli.weights_command import weights as command

    plain = drgsim.WeightSettings()
    names = {entry.name for entry in fields(plain)}
    for option in SETTINGS & names:
        assert getattr(plain, option) == default_of(command, option), option
    assert SETTINGS - names == {"target", "factor"}  # target_shares and policy_factors, none by default
