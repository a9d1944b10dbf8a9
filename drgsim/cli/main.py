"""The program ``drgsim``: one file per command, this one joins them and turns errors into messages and exit codes.

Exit codes: 0 done, 1 the verdict is no (validate, selftest, schemes check, group --min-grouped), 2 a call that makes no sense
(a name that nothing has is one), 3 input that cannot be read, 70 a fault of drgsim itself, 71 too little memory, 130, 143
and 129 stopped by Ctrl-C, SIGTERM or SIGHUP. 1 is never a crash.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NoReturn

import typer

from drgsim import cache_faults, limits
from drgsim.cli import atlas_command as atlas
from drgsim.cli import budget_command as budget
from drgsim.cli import calibrate_command as calibrate
from drgsim.cli import codes_command as codes
from drgsim.cli import coefficients_command as coefficients
from drgsim.cli import compare_command as compare
from drgsim.cli import config_command as config
from drgsim.cli import demo_command as demo
from drgsim.cli import dip_command as dip
from drgsim.cli import explain_command as explain
from drgsim.cli import group_command as group
from drgsim.cli import map_command as columns_map
from drgsim.cli import migrate_command as migrate
from drgsim.cli import new_command as new
from drgsim.cli import page_command as page
from drgsim.cli import policy_command as policy
from drgsim.cli import report_command as report
from drgsim.cli import scenarios_command as scenarios
from drgsim.cli import schemes_command as schemes
from drgsim.cli import selftest_command as selftest
from drgsim.cli import settle_command as settle
from drgsim.cli import simulate_command as simulate
from drgsim.cli import switch_command as switch
from drgsim.cli import synth_command as synth
from drgsim.cli import validate_command as validate
from drgsim.cli import weights_command as weights
from drgsim.cli.failures import failure_of
from drgsim.cli.interrupts import Watch, answered_signals
from drgsim.cli.option_defaults import read_defaults, set_language
from drgsim.cli.spoken_help import said_by_click, spoken_calls
from drgsim.cli.terminal import plain, print_error_json, show_doubt, show_error
from drgsim.errors import DrgsimError, Problem, UsageError
from drgsim.language import language_of, speaking, spoken, text
from drgsim.results.raw_cells import raw_cells
from drgsim.version import __version__

DEBUG, DEBUG_VARIABLE = "--debug", "DRGSIM_DEBUG"
RAW, LANG = "--raw", "--lang"

app = typer.Typer(
    name="drgsim",
    help="How China's hospitals are paid by case: group, explain, settle, budget, what-if.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.", is_eager=True)] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show where an error came up, of any command (also DRGSIM_DEBUG=1).")
    ] = False,
    raw: Annotated[
        bool,
        typer.Option(
            RAW, help="Write texts such as =1+1 to CSV as they are, without the ' that keeps Excel from running them."
        ),
    ] = False,
    lang: Annotated[
        str | None,
        typer.Option(
            LANG, help="zh or en, of any command (also DRGSIM_LANG, lang in drgsim.toml); that of the system by default."
        ),
    ] = None,
) -> None:
    if version:
        typer.echo(f"drgsim {__version__}")
        raise typer.Exit


# the order of the help: the main jobs first, each panel from the common to the special
_COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Group": {
        "group": group.group, "explain": explain.explain, "validate": validate.validate, "migrate": migrate.migrate,
        "map": columns_map.map_columns, "page": page.page,
    },
    "Pay": {
        "report": report.report, "settle": settle.settle, "atlas": atlas.atlas, "weights": weights.weights,
        "coefficients": coefficients.coefficients,
    },
    "Budget and what-if": {
        "budget": budget.budget, "switch": switch.switch, "simulate": simulate.simulate, "compare": compare.compare,
        "calibrate": calibrate.calibrate,
    },
    "Try and check": {"demo": demo.demo, "synth": synth.synth, "selftest": selftest.selftest},
}  # fmt: skip
for _panel, _commands in _COMMANDS.items():
    for _name, _function in _commands.items():
        app.command(_name, rich_help_panel=_panel)(_function)
for _panel, _name, _group in (
    ("Group", "schemes", schemes.app),
    ("Group", "dip", dip.app),
    ("Group", "codes", codes.app),
    ("Pay", "policy", policy.app),
    ("Budget and what-if", "scenarios", scenarios.app),
    ("Try and check", "new", new.app),
    ("Try and check", "config", config.app),
):
    app.add_typer(_group, name=_name, rich_help_panel=_panel)


_CALL_ERRORS: type[Exception] = typer.BadParameter.__mro__[2]  # what is wrong with a call; typer may carry a click of its own


class _Carried(BaseException):
    """What click, or whoever handles errors on the way, would turn into something else before it comes to :func:`main`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def _end_after(seconds: int) -> None:
    """End the call with a message after so many seconds, where the system has such a clock; 0 for never."""
    if seconds and hasattr(signal, "setitimer"):

        def late(*_: Any) -> NoReturn:
            raise _Carried(limits.too_slow(seconds))  # past whoever gathers or wraps the errors of a file

        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _wants_json(defaults: Mapping[str, Any]) -> bool:
    """Whether the call, or a default of its command, asks for JSON."""
    for word in sys.argv[1:]:
        below = defaults.get(word)
        defaults = below if isinstance(below, dict) else defaults
    return "--json" in sys.argv or bool(defaults.get("as_json"))


def _called(arguments: list[str], told: dict[str, bool]) -> int:
    """Call the command with the defaults of configuration and environment; the exit code. ``told`` learns of JSON."""
    command = typer.main.get_command(app)
    with spoken_calls(command):
        return _carried_out(command, arguments, told)


def _carried_out(command: Any, arguments: list[str], told: dict[str, bool]) -> int:
    """What :func:`_called` does with a command that speaks the reader's language."""
    defaults = read_defaults(command)
    told["json"] = _wants_json(defaults.by_command)
    for problem in defaults.doubts:
        show_doubt(problem)
    _end_after(limits.limit("seconds"))
    invoke = command.invoke

    def carried(context: Any) -> Any:
        try:
            return invoke(context)
        except (OSError, EOFError, KeyboardInterrupt) as error:  # click knows no more of them than an exit code of 1
            raise _Carried(error) from None

    command.invoke = carried
    try:
        code = command.main(arguments, prog_name="drgsim", default_map=defaults.by_command, standalone_mode=False)
    except _Carried as carrier:
        raise carrier.error from None
    except _CALL_ERRORS as error:
        if told["json"]:  # a program that asked for JSON gets JSON, whatever happens
            what = said_by_click(getattr(error, "message", str(error)))
            raise UsageError([Problem("usage", what, fix=text("see --help"))]) from error
        return _show_call_error(error)
    except typer.Abort:
        raise KeyboardInterrupt from None
    sys.stdout.flush()  # what cannot be written is told here, not when Python has left
    return code if isinstance(code, int) else 0


def _show_call_error(error: Any) -> int:
    """What is wrong with a call, as typer shows it; the exit code."""
    from typer import rich_utils

    told = error.format_message
    error.format_message = lambda: plain(spoken(said_by_click(told())))
    rich_utils.rich_format_error(error)
    return int(getattr(error, "exit_code", 2))


def _command_words(command: Any) -> set[str]:
    """Names of all commands."""
    below = getattr(command, "commands", {})
    return set(below).union(*map(_command_words, below.values()))


def _no_more_output() -> None:
    """Let nothing go to standard output any more, so that Python does not try again on its way out."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: DrgsimError, as_json: bool) -> NoReturn:
    """Say what is wrong, and stop."""
    show_error(error)
    columns_map.offer_mapping(error)
    if as_json:
        with contextlib.suppress(OSError):
            print_error_json(error)
            sys.stdout.flush()
    _no_more_output()
    sys.exit(error.exit_code)


def main() -> None:
    """Run the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console or pipe in GBK has no tick: better a question mark than no result
            stream.reconfigure(errors="replace")
    arguments, language = _without_language([word for word in sys.argv[1:] if word not in (DEBUG, RAW)])
    debug = DEBUG in sys.argv[1:] or os.environ.get(DEBUG_VARIABLE, "") not in ("", "0", "no", "false", "off")
    cache_faults.listen(show_doubt)
    with speaking(language_of(language or "") or set_language()), answered_signals() as watch:
        _run(arguments, debug, watch, language)


def _without_language(words: list[str]) -> tuple[list[str], str | None]:
    """The words of a call without ``--lang WORD``, wherever it stands, and that word."""
    rest, language = [], None
    taken = iter(words)
    for word in taken:
        if word.startswith(f"{LANG}="):
            language = word.partition("=")[2]
        elif word != LANG or (following := next(taken, None)) is None:
            rest.append(word)
        else:
            language = following
    return rest, language


def _run(arguments: list[str], debug: bool, watch: Watch, language: str | None) -> NoReturn:
    """Call the command, and leave with its exit code or that of what ended it."""
    told = {"json": "--json" in sys.argv}
    try:
        if language is not None and language_of(language) is None:
            what = text("drgsim speaks no {language!r}", language=language)
            raise UsageError.single("usage-unknown-language", what, fix=text("write --lang zh or --lang en"))
        with raw_cells(RAW in sys.argv[1:]):
            sys.exit(_called(arguments, told))
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        _no_more_output()
        sys.exit(0)
    except SystemExit:
        raise
    except BaseException as error:  # the last guard: nothing leaves as a trace, or with the exit code of a verdict
        if debug:
            traceback.print_exc()
        try:
            _fail(failure_of(watch.meant(error), arguments, _command_words(typer.main.get_command(app))), told["json"])
        finally:
            watch.told.set()
