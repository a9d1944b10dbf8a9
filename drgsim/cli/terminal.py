"""What all commands share at the terminal: consoles, progress, errors, JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from typing import Any, Literal

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from drgsim.errors import SHOWN_ALIKE, DrgsimError, Problem

_LONGEST = 4_000  # signs of a text on the terminal
_LONG = re.compile(rf"(?:[^\[\n]|(?<=\\)\[|\[(?![a-zA-Z#/@])){{{_LONGEST},}}")  # without tags of rich
# what steers a terminal or turns the order of signs: C0 without tab and line feed, DEL, C1, marks of direction, line separators
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """A text without signs that steer a terminal: C0 as its picture, others as the sign of the unknown.

    Examples
    --------
    >>> plain("\\x1b[31mred\\x9b2J")
    '␛[31mred�2J'
    """
    return _STEERING.sub(_visible, text)


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\ufffd"


def brief(marked: str) -> str:
    """A marked-up text without the middle of what is longer than anybody reads: a cell of a file may hold millions of signs.

    Examples
    --------
    >>> brief("[b]" + "9" * 500_000 + "[/b] \\\\[x]") == "[b]" + "9" * 2000 + " … (500,000) … " + "9" * 200 + "[/b] \\\\[x]"
    True
    """
    return marked if len(marked) <= _LONGEST else _LONG.sub(_ends, marked)


def _ends(found: re.Match[str]) -> str:
    return f"{found[0][: _LONGEST // 2]} … ({len(found[0]):,}) … {found[0][-_LONGEST // 20 :].lstrip('[')}"


def _line(text: str) -> str:
    """A part of a problem; a name in it cannot begin a line that looks like another problem."""
    return text.replace("\n", "\n        ")


class Terminal(Console):
    """A console that shows signs which steer a terminal, and leaves the exit code to the program where the reader goes away."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, whoever's text it is: escapes and the like as visible signs, so that no cell steers the terminal."""
        for segment in super().render(renderable, options):
            text = plain(segment.text) if segment.control is None else segment.text
            yield segment if text is segment.text else Segment(text, segment.style)

    def render_str(self, text: str, **options: Any) -> Text:
        """What is printed of a text: see :func:`brief`."""
        return super().render_str(brief(text), **options)

    def on_broken_pipe(self) -> None:
        """Let the program end as it sees fit; rich would end it with 1, which is a verdict here."""
        raise


out = Terminal(highlight=False)
err = Terminal(stderr=True, highlight=False)


def show_error(error: DrgsimError) -> None:
    """All problems on the error stream, nothing else."""
    shown: dict[str, int] = {}
    for problem in error.problems:
        shown[problem.code] = shown.get(problem.code, 0) + 1
        if shown[problem.code] > SHOWN_ALIKE:
            continue
        err.print(f"[bold red]✗[/] {escape(_line(problem.what))} [dim]\\[{problem.code}][/]", soft_wrap=True)
        for label, text in (("where", problem.where), ("why", problem.why), ("do", problem.fix)):
            if text:
                err.print(f"  [dim]{label:>5}[/]  {escape(_line(text))}", soft_wrap=True)
    for code, number in shown.items():
        if number > SHOWN_ALIKE:
            err.print(f"[bold red]✗[/] ... and {number - SHOWN_ALIKE} more [dim]\\[{code}][/]")


def show_doubt(problem: Problem) -> None:
    """A doubt about the call on the error stream; the command goes on."""
    err.print(f"[yellow]![/] {escape(problem.what)} [dim]\\[{problem.code}][/] {escape(problem.fix)}".rstrip(), soft_wrap=True)


def print_error_json(error: DrgsimError) -> None:
    """All problems as JSON on standard output, where a program that asked for JSON reads."""
    print_json({"error": {"exit_code": error.exit_code, "problems": [asdict(problem) for problem in error.problems]}})


@contextmanager
def result_on_standard_output(taken: bool) -> Iterator[None]:
    """Where the result itself went to standard output, what is told of it goes to the error stream."""
    if not taken:
        yield
        return
    with redirect_stdout(sys.stderr):  # consoles look up the stream when they print
        yield


def print_json(value: Any) -> None:
    """JSON on standard output, Chinese characters as they are."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(value, ensure_ascii=not utf8, indent=2, allow_nan=False)
    # json escapes C0 only; the others get the escapes that JSON has for them, which every reader turns back
    sys.stdout.write(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")


@contextmanager
def progress_bar(title: str, quiet: bool) -> Iterator[Callable[[float, int], None] | None]:
    """A progress callback (share done, records) that draws a bar on the error stream; None when nobody would see it."""
    if quiet or not err.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[records]:,} records"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as progress:
        task = progress.add_task(title, total=1.0, records=0)
        yield lambda done, records: progress.update(task, completed=done, records=records)


def percent(part: int, whole: int) -> str:
    """A share in per cent with one decimal; a share that is not zero never shows as 0.0."""
    if not whole:
        return "-"
    share = 100 * part / whole
    return "< 0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


def rows_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), whole: Sequence[int] = ()
) -> None:
    """A plain table on standard output; columns in ``right`` align right, and these and those in ``whole`` never fold."""
    from rich import box
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        justify: Literal["right", "left"] = "right" if place in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=place in right or place in whole)
    for row in rows:
        table.add_row(*map(escape, row))
    out.print(table)
