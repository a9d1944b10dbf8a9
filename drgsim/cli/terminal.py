"""What all commands share at the terminal: consoles, progress, errors, JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import fields
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from drgsim.cli.markup import escape
from drgsim.errors import SHOWN_ALIKE, DrgsimError, Problem
from drgsim.language import spoken, text

_LONGEST = 4_000  # signs of a text on the terminal
_LONG = re.compile(rf"(?:[^\[\n]|(?<=\\)\[|\[(?![a-zA-Z#/@])){{{_LONGEST},}}")  # without tags of rich
_MINUS_ZERO = re.compile(r"^-(?=0(?:\.0+)?(?:\s?%)?$)")  # what rounding leaves of a small loss
# what steers a terminal or turns the order of signs: C0 without tab and line feed, DEL, C1, marks of direction, line separators
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def plain(written: str) -> str:
    """A text without signs that steer a terminal: C0 as its picture, others as the sign of the unknown.

    Examples
    --------
    >>> plain("\\x1b[31mred\\x9b2J")
    '␛[31mred�2J'
    """
    return _STEERING.sub(_visible, written)


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\ufffd"


def brief(marked: str) -> str:
    """A marked-up text without the middle of what is longer than anybody reads: a cell of a file may hold millions of signs.

    Examples
    --------
    >>> brief("9" * 500_000) == "9" * 2000 + " … (500,000) … " + "9" * 200
    True
    """
    return marked if len(marked) <= _LONGEST else _LONG.sub(_ends, marked)


def _ends(found: re.Match[str]) -> str:
    return f"{found[0][: _LONGEST // 2]} … ({len(found[0]):,}) … {found[0][-_LONGEST // 20 :].lstrip('[')}"


def _line(said: str) -> str:
    """A part of a problem; a name in it cannot begin a line that looks like another problem."""
    return str(spoken(said)).replace("\n", "\n        ")


class Terminal(Console):
    """A console that shows signs which steer a terminal, and leaves the exit code to the program where the reader goes away."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, whoever's text it is: escapes and the like as visible signs, so that no cell steers the terminal."""
        for segment in super().render(renderable, options):
            shown = plain(segment.text) if segment.control is None else segment.text
            yield segment if shown is segment.text else Segment(shown, segment.style)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts in the language of the reader."""
        super().print(*map(spoken, objects), **options)

    def render_str(self, said: str, **options: Any) -> Text:  # type: ignore[override]
        """What is printed of a text: see :func:`brief`."""
        return super().render_str(brief(said), **options)

    def on_broken_pipe(self) -> None:
        """Let the program end as it sees fit; rich would end it with 1, which is a verdict here."""
        raise


out = Terminal(highlight=False)
err = Terminal(stderr=True, highlight=False)


_PARTS = tuple(each.name for each in fields(Problem))
_LABELS = {"where": text("where"), "why": text("why"), "do": text("do")}


def right_aligned(said: str, columns: int) -> str:
    """A short text at the right of so many columns, of which a Chinese character takes two."""
    shown = escape(said)
    return " " * (columns - cell_len(shown)) + shown


def show_error(error: DrgsimError) -> None:
    """All problems on the error stream, nothing else."""
    shown: dict[str, int] = {}
    for problem in error.problems:
        shown[problem.code] = shown.get(problem.code, 0) + 1
        if shown[problem.code] > SHOWN_ALIKE:
            continue
        err.print(f"[bold red]✗[/] {escape(_line(problem.what))} [dim]\\[{problem.code}][/]", soft_wrap=True)
        for label, said in (("where", problem.where), ("why", problem.why), ("do", problem.fix)):
            if said:
                err.print(f"  [dim]{right_aligned(_LABELS[label], 5)}[/]  {escape(_line(said))}", soft_wrap=True)
    for code, number in shown.items():
        if number > SHOWN_ALIKE:
            more = spoken(text("... and {count} more", count=number - SHOWN_ALIKE))
            err.print(f"[bold red]✗[/] {more} [dim]\\[{code}][/]")


def show_doubt(problem: Problem) -> None:
    """A doubt about the call on the error stream; the command goes on."""
    what, fix = escape(problem.what), escape(problem.fix)
    err.print(f"[yellow]![/] {what} [dim]\\[{problem.code}][/] {fix}".rstrip(), soft_wrap=True)


def show_note(note: str) -> None:
    """A remark on how a result came about."""
    out.print(f"[yellow]{escape(text('note'))}[/] {escape(note)}")


def show_warning(problem: Problem) -> None:
    """What a result should be read with."""
    out.print(f"[yellow]![/] {escape(problem.what)} [dim]\\[{problem.code}][/]", soft_wrap=True)


def print_error_json(error: DrgsimError) -> None:
    """All problems as JSON on standard output, where a program that asked for JSON reads; sentences as the reader speaks."""
    problems = [{name: spoken(getattr(problem, name)) for name in _PARTS} for problem in error.problems]
    print_json({"error": {"exit_code": error.exit_code, "problems": problems}})


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
    written = json.dumps(value, ensure_ascii=not utf8, indent=2, allow_nan=False)
    # json escapes C0 only; the others get the escapes that JSON has for them, which every reader turns back
    sys.stdout.write(_STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", written) + "\n")


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
        TextColumn(spoken(text("{task.fields[records]:,} records"))),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as progress:
        task = progress.add_task(spoken(title), total=1.0, records=0)
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
    from drgsim.cli.spoken_table import SpokenTable

    table = SpokenTable(title)
    for place, column in enumerate(columns):
        justify: Literal["right", "left"] = "right" if place in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=place in right or place in whole)
    for row in rows:
        table.add_row(*(_MINUS_ZERO.sub("", escape(cell)) for cell in row))
    out.print(table)
