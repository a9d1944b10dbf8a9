"""The tables of a pack that make its tree: MDCs, ADRGs, DRGs, in their orders, with their rules."""

from __future__ import annotations

import re

from drgsim.errors import did_you_mean, words_of
from drgsim.language import text
from drgsim.units.schemes.pack_part import PackPart
from drgsim.units.schemes.pack_tables import Row, read_table
from drgsim.units.schemes.rule_language import Always, Rule
from drgsim.units.schemes.rule_parser import RuleSyntaxError, parse_rule
from drgsim.units.schemes.scheme import KINDS, UNGROUPED, Adrg, Drg, Mdc

_MDC = ("order", "mdc", "name", "rule")
_ADRG = ("order", "adrg", "mdc", "name", "kind", "rule")
_DRG = ("order", "drg", "adrg", "name", "rule")
_BLANK = re.compile(r"\s")


class GroupTables(PackPart):
    """Reads ``mdc.csv``, ``adrg.csv`` and ``drg.csv``."""

    def read(self) -> tuple[Mdc, ...]:
        """The MDCs with all that is in them."""
        tables = {}
        for name, columns, key in (("mdc", _MDC, "mdc"), ("adrg", _ADRG, "adrg"), ("drg", _DRG, "drg")):
            # an overlay that leaves a table out has that of its base
            path = next((folder / f"{name}.csv" for folder in self.chain if (folder / f"{name}.csv").is_file()), None)
            if path is None:
                self.wrong("pack-missing-table", text("the pack lacks {name}.csv", name=name), f"{name}.csv")
                return ()
            tables[name] = read_table(path, columns, (key,), self.problems)
            self.check_names(name, tables[name])
        drgs = self.nested("drg", tables["drg"], 2, {row[1] for row in tables["adrg"]}, "ADRG")
        adrgs = self.nested("adrg", tables["adrg"], 2, {row[1] for row in tables["mdc"]}, "MDC")
        self.check_orders("mdc", "the scheme", tables["mdc"])
        built: dict[str, list[Adrg]] = {}
        for mdc, rows in adrgs.items():
            for _, code, _, name, kind, rule in rows:
                if kind not in KINDS:
                    self.wrong(
                        "pack-unknown-adrg-kind",
                        text("{code}: kind is {kind!r}", code=code, kind=kind),
                        "adrg.csv",
                        fix=text("use one of {kinds}", kinds=", ".join(KINDS)),
                    )
                if code not in drgs:
                    self.wrong("pack-adrg-without-drg", text("ADRG {code} has no row in drg.csv", code=code), "drg.csv")
                children = tuple(Drg(row[1], code, row[3], self.rule("drg.csv", row[1], row[4])) for row in drgs.get(code, ()))
                built.setdefault(mdc, []).append(Adrg(code, mdc, name, kind, self.rule("adrg.csv", code, rule), children))
        return tuple(
            Mdc(code, name, self.rule("mdc.csv", code, rule), tuple(built.get(code, ())))
            for _, code, name, rule in sorted(tables["mdc"], key=lambda row: _order(row[0]))
        )

    def check_names(self, table: str, rows: list[Row]) -> None:
        """Codes that an answer could not carry, and orders that are no numbers."""
        if not rows and not self.problems:
            self.wrong(
                "pack-empty-table",
                text("{table}.csv holds no row", table=table),
                f"{table}.csv",
                why=text("nothing could be grouped"),
            )
        for order, code, *_ in rows:
            if not code or code == UNGROUPED or _BLANK.search(code):
                self.wrong(
                    "pack-impossible-code",
                    text("{code!r} cannot be the code of a row", code=code),
                    f"{table}.csv",
                    why=text(
                        "{ungrouped} means that no group was found; a code is neither empty nor broken by blanks",
                        ungrouped=UNGROUPED,
                    ),
                    fix=text("give the row a code of its own"),
                )
            if _order(order) < 1:
                self.wrong(
                    "pack-impossible-order",
                    text("the order of {code} is {order!r}", code=code, order=order),
                    f"{table}.csv",
                    fix=text("number the rows from 1"),
                )

    def nested(self, table: str, rows: list[Row], parent: int, parents: set[str], title: str) -> dict[str, list[Row]]:
        """Rows by parent, each in order; a row under an unknown parent and a gap in the orders are reported."""
        found: dict[str, list[Row]] = {}
        for row in rows:
            if row[parent] in parents:
                found.setdefault(row[parent], []).append(row)
            else:
                self.wrong(
                    "pack-unknown-parent",
                    text(
                        "{row} belongs to {title} {parent}, which the pack does not have",
                        row=row[1],
                        title=title,
                        parent=row[parent],
                    ),
                    f"{table}.csv",
                    fix=did_you_mean(row[parent], sorted(parents)),
                )
        for name, group in found.items():
            self.check_orders(table, name, group)
            group.sort(key=lambda row: _order(row[0]))
        return found

    def check_orders(self, table: str, parent: str, rows: list[Row]) -> None:
        orders = sorted(_order(row[0]) for row in rows)
        if not orders or orders[0] < 1:
            return  # said already, by row
        for expected, order in enumerate(orders, start=1):
            if order != expected:
                self.wrong(
                    "pack-order-gap",
                    text(
                        "the orders within {parent} run {orders}; {expected} is missing or another stands twice",
                        parent=parent,
                        orders=_shown(orders),
                        expected=expected,
                    ),
                    f"{table}.csv",
                    fix=text("number the rows 1, 2, 3 ... without gaps"),
                )
                return

    def rule(self, table: str, code: str, written: str) -> Rule:
        try:
            return parse_rule(written)
        except RuleSyntaxError as error:
            self.wrong("pack-unreadable-rule", text("rule of {code}: {error}", code=code, error=words_of(error)), table)
            return Always()

    # -- checks across tables --------------------


def _order(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1


def _shown(orders: list[int]) -> str:
    head = ", ".join(map(str, orders[:12]))
    return head + (" ..." if len(orders) > 12 else "")
