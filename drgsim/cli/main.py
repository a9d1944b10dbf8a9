"""The program ``drgsim``: one file per command, this one joins them and turns errors into messages and exit codes.

Exit codes: 0 done, 1 the verdict is no (validate, selftest, schemes check), 2 a call that makes no sense, 3 input
that cannot be read.
"""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from drgsim.cli import atlas_command as atlas
from drgsim.cli import budget_command as budget
from drgsim.cli import calibrate_command as calibrate
from drgsim.cli import codes_command as codes
from drgsim.cli import coefficients_command as coefficients
from drgsim.cli import compare_command as compare
from drgsim.cli import demo_command as demo
from drgsim.cli import dip_command as dip
from drgsim.cli import explain_command as explain
from drgsim.cli import group_command as group
from drgsim.cli import map_command as columns_map
from drgsim.cli import migrate_command as migrate
from drgsim.cli import policy_command as policy
from drgsim.cli import scenarios_command as scenarios
from drgsim.cli import schemes_command as schemes
from drgsim.cli import selftest_command as selftest
from drgsim.cli import settle_command as settle
from drgsim.cli import simulate_command as simulate
from drgsim.cli import synth_command as synth
from drgsim.cli import validate_command as validate
from drgsim.cli import weights_command as weights
from drgsim.cli.terminal import show_error
from drgsim.errors import DrgsimError, OutputError
from drgsim.version import __version__

app = typer.Typer(
    name="drgsim",
    help="How China's hospitals are paid by case: group, explain, settle, budget, what-if. "
    "按病种付费：分组、解释、结算、总额预算、情景模拟。",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"drgsim {__version__}")
        raise typer.Exit


# the order of the help: the main jobs first, each panel from the common to the special
_COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Group 分组": {
        "group": group.group, "explain": explain.explain, "validate": validate.validate, "migrate": migrate.migrate,
        "map": columns_map.map_columns,
    },
    "Pay 支付": {
        "settle": settle.settle, "atlas": atlas.atlas, "weights": weights.weights, "coefficients": coefficients.coefficients,
    },
    "Budget and what-if 预算与情景": {
        "budget": budget.budget, "simulate": simulate.simulate, "compare": compare.compare, "calibrate": calibrate.calibrate,
    },
    "Try and check 试用与自检": {"demo": demo.demo, "synth": synth.synth, "selftest": selftest.selftest},
}  # fmt: skip
for _panel, _commands in _COMMANDS.items():
    for _name, _function in _commands.items():
        app.command(_name, rich_help_panel=_panel)(_function)
for _panel, _name, _group in (
    ("Group 分组", "schemes", schemes.app),
    ("Group 分组", "dip", dip.app),
    ("Group 分组", "codes", codes.app),
    ("Pay 支付", "policy", policy.app),
    ("Budget and what-if 预算与情景", "scenarios", scenarios.app),
):
    app.add_typer(_group, name=_name, rich_help_panel=_panel)


def main() -> None:
    """Run the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console or pipe in GBK has no tick: better a question mark than no result
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was half written is removed on the way out
    try:
        app()
    except DrgsimError as error:
        show_error(error)
        columns_map.offer_mapping(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        path = error.filename or ""
        show_error(
            OutputError.single("file-system", f"{error.strerror or error}", where=str(path), fix="check space and permissions")
        )
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)
