"""``drgsim.map_columns``: what the columns of a file are, and a mapping to correct and use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from drgsim.api.argument_check import checked, named
from drgsim.language import text
from drgsim.records.case_table import settling
from drgsim.records.column_guesses import ColumnGuess, UnknownColumns, mapping_text, still_missing
from drgsim.records.input_options import InputOptions
from drgsim.records.read import open_source
from drgsim.records.recognise import recognised
from drgsim.records.schema import columns
from drgsim.results.result import Result
from drgsim.results.run_record import run_record


class ColumnMap(Result):
    """What the columns of a file are or may be: table ``columns``, one row per column of the file.

    Attributes
    ----------
    file
        Name of the file.
    guesses
        The rows as objects.
    """

    kind = "map"
    title = text("Columns of the file")

    def __init__(self, file: str, guesses: list[ColumnGuess]) -> None:
        self.file, self.guesses = file, guesses
        rows = [
            {"own": guess.own, "sample": guess.sample, "canonical": guess.canonical,
             "title_zh": columns()[guess.canonical].title_zh if guess.canonical else "", "why": guess.why}
            for guess in guesses
        ]  # fmt: skip
        names = ("own", "sample", "canonical", "title_zh", "why")
        table = pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names]))
        super().__init__({"columns": table}, record=self._record)

    def _record(self) -> dict[str, Any]:
        return run_record(self.kind, file=self.file, columns=len(self.guesses), missing=self.missing)

    @property
    def missing(self) -> list[str]:
        """Needed canonical columns that no column of the file looks like."""
        return still_missing(self.guesses)

    @property
    def yaml(self) -> str:
        """The mapping as YAML, for ``--map-file``."""
        return mapping_text(self.guesses, self.file, self.missing)


@checked(records=named(Path))
def map_columns(records: str | Path, *, reading: InputOptions | None = None) -> ColumnMap:
    """Say what each column of a case-mix file is, and guess those that are not known. 列名对照

    Guesses go by names and by what cells look like (codes of the dictionaries, dates, ages, money). They are never used
    unasked: check them and read the file with ``map_file``.

    Parameters
    ----------
    records
        Path of a case-mix file.
    reading
        Layout, sheets and columns that are known already, as :class:`drgsim.InputOptions` says them.

    Returns
    -------
    ColumnMap
        ``columns``: the file's columns with a sample cell, the canonical column, and why: ``known``, ``name``, ``cells``,
        ``name and cells``. ``yaml``: the mapping as a file for ``map_file``.

    Raises
    ------
    InputError
        ``input-not-found`` and their like.

    Examples
    --------
    >>> import drgsim, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "9月.csv")
    ...     _ = file.write_text("住院号,性别,岁数,主诊ICD,次诊1,手术1\\n1,男,67,I21.001,I10.x00,36.0601\\n", encoding="utf-8")
    ...     found = drgsim.map_columns(file)
    >>> found.to_arrow()["canonical"].to_pylist()
    ['discharge_id', 'sex', 'age', 'principal_diagnosis', 'other_diagnoses', 'procedures']
    """
    options = reading or InputOptions()
    try:
        source = open_source(records, options, settling())
    except UnknownColumns as error:
        return ColumnMap(Path(records).name, error.guesses)
    known = recognised(source.names, source.path.name, options)
    return ColumnMap(source.path.name, source.guesses(known))
