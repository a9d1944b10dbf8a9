"""What every verb gives back: tables, what was doubtful, the record of the run, and how to look at and keep them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from drgsim.errors import Problem, UsageError, did_you_mean, wrong_type
from drgsim.language import joined, spoken, text
from drgsim.records.arrow import as_cells, with_unique_dictionaries
from drgsim.results.run_record import run_record, write_results
from drgsim.results.table_files import WRITABLE, write_table
from drgsim.results.whole_outputs import KIND, whole_file, write_text
from drgsim.results.workbook import open_workbook
from drgsim.results.workbook_about import About, about_record

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("parquet", "csv", "xlsx", "html")
_SHOWN = 10  # rows of the main table that a notebook shows
_NO_FOLDER = (*WRITABLE, ".html", ".xls", ".json")  # endings that name a file


class Result:
    """The result of a verb. It never prints.

    Parameters
    ----------
    tables
        Name -> table; the first is the main one. Money is in yuan as exact decimals.
    notes
        What was doubtful.
    record
        What was run on what, as :func:`drgsim.results.run_record.run_record` makes it, without any clock; or what makes it
        when it is first asked for, where that takes time.

    Attributes
    ----------
    kind
        Word for the verb, in the record and as the name of workbook and page.
    title
        Heading, English and Chinese.

    Examples
    --------
    >>> result = Result({"cases": pa.table({"id": ["a", "b"], "days": [3, 4]})}, notes=[Problem("few-cases", "2 cases only")])
    >>> result
    <Result: cases 2 x 2; 1 note>
    >>> result.to_arrow("cases").num_rows, result.notes[0].code
    (2, 'few-cases')
    >>> result.to_arrow("case")
    Traceback (most recent call last):
    ...
    drgsim.errors.UsageError: [result-no-table] there is no table 'case'
      do: did you mean cases?
    """

    kind: ClassVar[str] = "result"
    title: ClassVar[str] = "Result 结果"

    def __init__(
        self,
        tables: Mapping[str, pa.Table],
        *,
        notes: Iterable[Problem] = (),
        record: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self.tables: Mapping[str, pa.Table] = MappingProxyType(dict(tables))
        self.notes: tuple[Problem, ...] = tuple(notes)
        self._record_or_maker = record

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """What was run on what."""
        record = self._record_or_maker
        if record is None:
            return run_record(self.kind, problems=self.notes)
        return record() if callable(record) else record

    def to_arrow(self, name: str | None = None) -> pa.Table:
        """A table by its name, the main one by default.

        Raises
        ------
        UsageError
            ``result-no-table``.
        """
        if name is None and self.tables:
            return next(iter(self.tables.values()))
        if name is None or name not in self.tables:
            known = list(self.tables)
            fix = did_you_mean(name or "", known) or (text("name one of {known}", known=", ".join(known)) if known else "")
            raise UsageError([Problem("result-no-table", text("there is no table {name!r}", name=name), fix=fix)])
        return self.tables[name]

    def to_pandas(self, name: str | None = None) -> pd.DataFrame:
        """A table as a data frame, the main one by default; amounts stay exact (``decimal.Decimal``, yuan).

        Raises
        ------
        UsageError
            ``result-no-table``.
        """
        frame: pd.DataFrame = with_unique_dictionaries(self.to_arrow(name)).to_pandas()
        return frame

    def save(self, target: str | Path, formats: Sequence[str] | str = ("parquet",), replace: bool = False) -> Path:
        """Write the result, whole or not at all.

        Parameters
        ----------
        target
            A folder: one file per table, ``run.json`` with the record, workbook and page where asked for. A name that
            ends in .csv, .parquet, .xlsx or .html: that one file, of the main table (.xlsx: of all tables).
        formats
            Of the files in a folder: ``parquet``, ``csv``, ``xlsx`` (one workbook), ``html`` (one page), one or more.
        replace
            Whether an earlier result of the same verb, or the file, gives way. Anything else never does.

        Returns
        -------
        Path
            The folder or file.

        Raises
        ------
        UsageError
            ``output-unknown-format``, ``output-unknown-suffix``, ``output-no-page``.
        OutputError
            ``output-exists``, ``output-not-ours``, ``output-other-kind``, ``output-holds-more``, ``output-not-writable``.
        """
        if not isinstance(target, str | Path) or not str(target).strip():
            raise wrong_type("target", target, text("a folder, or a file that ends in .csv, .parquet, .xlsx or .html"))
        path = Path(target)
        if path.suffix.lower() in _NO_FOLDER:
            self._save_file(path, replace)
            return path
        return self.save_folder(path, formats, replace)

    def save_folder(self, folder: str | Path, formats: Sequence[str] | str = ("parquet",), replace: bool = False) -> Path:
        """Write a folder as :meth:`save` does, whatever its name ends in."""
        if not isinstance(formats, str | Sequence):
            raise wrong_type("formats", formats, text("some of {formats}", formats=", ".join(FORMATS)))
        wanted = (formats,) if isinstance(formats, str) else tuple(formats)
        for word in wanted:
            if word not in FORMATS:
                fix = did_you_mean(word, FORMATS) or text("name some of {formats}", formats=", ".join(FORMATS))
                raise UsageError(
                    [Problem("output-unknown-format", text("{word!r} is no format of a result", word=word), fix=fix)]
                )
        files = self._files(wanted)
        tables = {name: table for name, table in files.items() if isinstance(table, pa.Table)}
        others = {name: write for name, write in files.items() if not isinstance(write, pa.Table)}
        write_results(Path(folder), tables, {**self.record, "kind": self.kind}, others, replace=replace)
        return Path(folder)

    def _files(self, formats: Sequence[str]) -> dict[str, pa.Table | Callable[[Path], None]]:
        """Files of a folder, by name, in these formats: tables, and what writes the others to a path."""
        files: dict[str, pa.Table | Callable[[Path], None]] = {
            f"{name}.{form}": table for form in formats if form in ("parquet", "csv") for name, table in self.tables.items()
        }
        if "xlsx" in formats:
            files[f"{self.kind}.xlsx"] = self._write_workbook
        if "html" in formats:
            page = self._page_or_error()
            files[f"{self.kind}.html"] = lambda path: write_text(path, page)
        return files

    def _page(self) -> str | None:
        """The page of the result as self-contained HTML; None where there is none."""
        return None

    def about(self) -> About:
        """What the first sheet of the workbook says."""
        return about_record(self.title, {**self.record, KIND: self.kind}, notes=self._said)

    @property
    def _said(self) -> list[str]:
        """The notes as sentences."""
        return [joined(" ", filter(None, (note.what, note.fix))) for note in self.notes]

    def _write_workbook(self, path: Path) -> None:
        """The workbook: what was run and what was doubtful, then a sheet per table."""
        with open_workbook(path, self.about()) as book:
            for name, table in self.tables.items():
                book.add_table(name, table)

    def _save_file(self, path: Path, replace: bool) -> None:
        suffix = path.suffix.lower()
        if suffix == ".html":
            page = self._page_or_error()
            with whole_file(path, replace=replace) as beside:
                write_text(beside, page)
        elif suffix == ".xlsx":
            with whole_file(path, replace=replace) as beside:
                self._write_workbook(beside)
        else:
            if suffix in WRITABLE:
                path.parent.mkdir(parents=True, exist_ok=True)
            write_table(path, self.to_arrow(), replace=replace, about=self.about())

    def _page_or_error(self) -> str:
        page = self._page()
        if page is None:
            what = text("a result of {kind} has no page", kind=self.kind)
            raise UsageError([Problem("output-no-page", what, fix=text('ask for "xlsx" or "parquet"'))])
        return page

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {table.num_rows:,} x {table.num_columns}" for name, table in self.tables.items())
        count = len(self.notes)
        more = f"; {count} note{'s' if count > 1 else ''}" if count else ""
        return f"<{type(self).__name__}: {shapes}{more}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the heading, the first rows of the main table, the notes."""
        main = self.to_arrow()
        head = as_cells(main.slice(0, _SHOWN), times_as_text=True)
        columns = "".join(f"<th>{escape(name)}</th>" for name in head.column_names)
        rows = "".join(
            f"<tr>{''.join(f'<td>{_shown(value)}</td>' for value in row)}</tr>"
            for row in zip(*(column.to_pylist() for column in head.columns), strict=True)
        )
        more = text("{shown} of {count:,} rows", shown=_SHOWN, count=main.num_rows) if main.num_rows > _SHOWN else ""
        notes = "".join(f"<li>{escape(spoken(note.what))} <code>{escape(note.code)}</code></li>" for note in self.notes)
        return (
            f"<h4>{escape(spoken(self.title))}</h4><table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>"
            f"{f'<p>{spoken(more)}</p>' if more else ''}"
            f"{f'<ul>{notes}</ul>' if notes else ''}"
        )


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.6g}"
    return escape(str(value))
