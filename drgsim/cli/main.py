"""The program ``drgsim``: one file per command, this one joins them and turns errors into messages and exit codes.

Exit codes: 0 done, 1 the verdict is no (validate, selftest, schemes check), 2 a call that makes no sense, 3 input
that cannot be read.
"""

from __future__ import annotations

import io
import signal
import sys
from typing import Annotated

import typer

from drgsim import __version__
from drgsim.cli import (
    budget,
    calibrate,
    codes,
    coefficients,
    compare,
    demo,
    dip,
    explain,
    group,
    migrate,
    policy,
    scenarios,
    schemes,
    selftest,
    settle,
    simulate,
    synth,
    validate,
    weights,
)
from drgsim.cli.terminal import show_error
from drgsim.errors import DrgsimError, OutputError

app = typer.Typer(
    name="drgsim",
    help="Group hospital discharges by China's DRG schemes and explain every one. 按CHS-DRG分组，并解释每一份病案。",
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


app.command()(group.group)
app.command()(explain.explain)
app.command()(validate.validate)
app.command()(migrate.migrate)
app.add_typer(schemes.app, name="schemes")
app.add_typer(codes.app, name="codes")
app.command()(selftest.selftest)
app.command()(demo.demo)
app.command()(synth.synth)
app.add_typer(policy.app, name="policy")
app.command()(weights.weights)
app.command()(coefficients.coefficients)
app.command()(settle.settle)
app.command()(simulate.simulate)
app.command()(compare.compare)
app.add_typer(scenarios.app, name="scenarios")
app.add_typer(dip.app, name="dip")
app.command()(budget.budget)
app.command()(calibrate.calibrate)


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
