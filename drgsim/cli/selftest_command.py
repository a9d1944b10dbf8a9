"""``drgsim selftest``: an installed copy proves itself."""

from __future__ import annotations

from typing import Annotated

import typer


def selftest(
    schemes: Annotated[
        list[str] | None, typer.Argument(help="Schemes to test; all with bundled cases by default.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Group bundled cases with kernel and reference and compare both with the expected groups. 自检"""
    import platform

    import numba
    import numpy
    import pyarrow

    from drgsim import __version__
    from drgsim.cli.terminal import out, print_json, rows_table
    from drgsim.engines.bundled_proof import bundled_schemes, check_scheme
    from drgsim.errors import Problem, UsageError, did_you_mean

    known = bundled_schemes()
    for name in schemes or ():
        if name not in known:
            raise UsageError(
                [
                    Problem(
                        "selftest-unknown-scheme",
                        f"no bundled cases for {name}",
                        fix=did_you_mean(name, known) or f"choose from {', '.join(known)}",
                    )
                ]
            )
    results = [check_scheme(name) for name in schemes or known]
    passed = all(result.passed for result in results) and bool(results)
    versions = {
        "drgsim": __version__,
        "python": platform.python_version(),
        "numba": numba.__version__,
        "numpy": numpy.__version__,
        "pyarrow": pyarrow.__version__,
        "jit": "off" if getattr(numba.config, "DISABLE_JIT", 0) else "on",
    }
    if as_json:
        print_json(
            {
                "passed": passed,
                "versions": versions,
                "schemes": [
                    {"scheme": r.scheme, "cases": r.cases, "kernel_wrong": r.kernel_wrong, "reference_wrong": r.reference_wrong}
                    for r in results
                ],
            }
        )
    else:
        rows = [
            [
                r.scheme,
                str(r.cases),
                str(r.cases - len(r.kernel_wrong)),
                str(r.cases - len(r.reference_wrong)),
                "✓" if r.passed else "✗ " + ", ".join((*r.kernel_wrong, *r.reference_wrong)[:3]),
            ]
            for r in results
        ]
        rows_table(
            "Bundled cases with the expected group", ["scheme", "cases", "kernel", "reference", ""], rows, right=(1, 2, 3)
        )
        out.print(" · ".join(f"{name} {version}" for name, version in versions.items()), style="dim")
        out.print(
            "[green]✓ this copy groups as expected[/]" if passed else "[bold red]✗ this copy is broken: install it again[/]"
        )
    if not passed:
        raise typer.Exit(1)
