"""``drgsim selftest``: an installed copy proves itself."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from drgsim.language import term, text

if TYPE_CHECKING:
    from drgsim.api.selftest_verbs import SelfTested


def selftest(
    schemes: Annotated[
        list[str] | None, typer.Argument(help="Schemes to test; all with bundled cases by default.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Group bundled cases with kernel and reference and compare both with the expected groups."""
    from drgsim.api import selftest_verbs
    from drgsim.cli.terminal import print_json

    tested = selftest_verbs.selftest(schemes)
    if as_json:
        print_json({"passed": tested.passed, "versions": tested.versions, "schemes": [vars(test) for test in tested.schemes]})
    else:
        _show(tested)
    if not tested.passed:
        raise typer.Exit(1)


def _show(tested: SelfTested) -> None:
    from drgsim.cli.terminal import out, rows_table

    rows = [
        [
            test.scheme, str(test.cases), str(test.cases - len(test.kernel_wrong)),
            str(test.cases - len(test.reference_wrong)),
            "✓" if test.passed else "✗ " + ", ".join((*test.kernel_wrong, *test.reference_wrong)[:3]),
        ]
        for test in tested.schemes
    ]  # fmt: skip
    columns = [text("scheme"), text("cases"), text("kernel"), term("of a self-test", "reference"), ""]
    rows_table(text("Bundled cases with the expected group"), columns, rows, right=(1, 2, 3))
    versions = " · ".join(f"{name}\N{NO-BREAK SPACE}{version}" for name, version in tested.versions.items())
    out.print(textwrap.fill(versions, out.width), style="dim", soft_wrap=True)  # a name stays with its version
    good, bad = text("[green]✓ this copy groups as expected[/]"), text("[bold red]✗ this copy is broken: install it again[/]")
    out.print(good if tested.passed else bad)
