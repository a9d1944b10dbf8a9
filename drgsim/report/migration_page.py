"""The page of a migration: a Sankey chart to choose from, groups that split and merge, hospitals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import plotly.graph_objects as go

from drgsim.analysis.migration import Answer, Flow, GroupChange, Migration, MigrationSide
from drgsim.report.page import COLOURS, chart, render_page
from drgsim.units.drg.drg_grouper import STATUSES

MOST_LINKS = 36  # links of a view that are drawn one by one; the smaller ones are drawn together
MOST_ROWS = 40
STATUS_TITLES = dict(zip(STATUSES, ("入组", "歧义", "未入组", "无效"), strict=True))
_REST = "其他 (smaller flows)"
_TRANSPARENT = {"same": "rgba(143,184,211,0.55)", "moved": "rgba(217,152,47,0.60)", "lost": "rgba(192,80,77,0.60)"}
Label = Callable[[MigrationSide, Answer], str]


def migrate_page(migration: Migration) -> str:
    """HTML of the page, with everything in it."""
    groups = migration.groups()
    before, after = migration.before.scheme, migration.after.scheme
    share = 100 / max(migration.cases, 1)
    cards = [
        ("cases 病例数", f"{migration.cases:,}"),
        *((f"change {level.upper()} 变更", f"{migration.moved(level) * share:.1f} %") for level in ("mdc", "adrg", "drg")),
        (
            "split · merge 拆分·合并",
            " · ".join(f"{sum(g.change == change for g in groups):,}" for change in ("split", "merged")),
        ),
        ("CMI", " → ".join("–" if cmi is None or not migration.comparable else f"{cmi:.2f}" for cmi in migration.cmi)),
    ]
    moves = sorted(migration.hospitals, key=lambda move: -abs(move.change or 0))
    return render_page(
        "migrate.html",
        title=f"{before.id} → {after.id}",
        before=before,
        after=after,
        inputs=", ".join(path.name for path in migration.inputs),
        cards=cards,
        notes=migration.notes(),
        sankey=chart(sankey(migration), 900, top=70),
        status=[
            (STATUS_TITLES[a], a, STATUS_TITLES[b], b, n, n * share / 100) for (a, b), n in migration.status().most_common()
        ],
        splits=_most(groups, "split"),
        merges=_most(groups, "merged"),
        gone=[g for g in groups if g.side == "from" and not g.in_other][:MOST_ROWS],
        new=[g for g in groups if g.side == "to" and not g.in_other][:MOST_ROWS],
        names={"from": migration.before.name, "to": migration.after.name},
        least=migration.least_share,
        hospitals=moves[:MOST_ROWS],
        hospital_count=len(moves),
        hospital_chart=chart(_hospital_chart(migration), 420) if moves else "",
    )


def _most(groups: Iterable[GroupChange], change: str) -> list[GroupChange]:
    """Groups by the number of cases outside their largest part."""
    chosen = [group for group in groups if group.change == change]
    return sorted(chosen, key=lambda g: (g.parts[0].cases - g.cases, g.drg))[:MOST_ROWS]


# -- Sankey --------------------
def sankey(migration: Migration) -> go.Figure:
    """One chart with a menu: all MDCs, the groups that move most, and the ADRGs of each MDC."""
    before = migration.before
    moved = [flow for flow in migration.flows if flow.before.drg != flow.after.drg or flow.before.status != flow.after.status]
    views: list[tuple[str, list[Flow], Label, bool]] = [
        ("All cases by MDC 各MDC", migration.flows, _mdc_label, True),
        (f"DRGs: the {MOST_LINKS} largest moves 变动最多的DRG", moved, _drg_label, False),
        (
            f"ADRGs: the {MOST_LINKS} largest moves 变动最多的ADRG",
            [f for f in moved if _differ(migration, f)],
            _adrg_label,
            False,
        ),
    ]
    cases: Counter[str] = Counter()
    for flow in migration.flows:
        cases[before.mdc(flow.before)] += flow.cases
    for mdc in before.scheme.mdcs:
        if cases[mdc.code]:
            own = [flow for flow in migration.flows if before.mdc(flow.before) == mdc.code]
            views.append((f"{mdc.code} {mdc.name} ({cases[mdc.code]:,})", own, _adrg_label, True))
    views = [view for view in views if view[1]]
    figure = go.Figure()
    for place, (_, flows, label, whole) in enumerate(views):
        figure.add_trace(_trace(migration, flows, label, whole=whole, visible=place == 0))
    buttons = [
        {"label": title, "method": "update", "args": [{"visible": [n == place for n in range(len(views))]}]}
        for place, (title, *_) in enumerate(views)
    ]
    figure.update_layout(
        updatemenus=[{"buttons": buttons, "x": 0.5, "xanchor": "center", "y": 1.09, "yanchor": "bottom", "bgcolor": "#fff"}]
    )
    return figure


def _differ(migration: Migration, flow: Flow) -> bool:
    return migration.before.adrg(flow.before) != migration.after.adrg(flow.after)


def _trace(migration: Migration, flows: list[Flow], label: Label, *, whole: bool, visible: bool) -> go.Sankey:
    """One view; with ``whole`` the smaller flows come together as one link, so that all cases are there."""
    links: Counter[tuple[str, str, str]] = Counter()
    for flow in flows:
        links[label(migration.before, flow.before), label(migration.after, flow.after), _colour(label, migration, flow)] += (
            flow.cases
        )
    shown = links.most_common(MOST_LINKS)
    rest = sum(links.values()) - sum(n for _, n in shown)
    if rest and whole:
        shown.append(((_REST, _REST, "same"), rest))
    left = list(dict.fromkeys(source for (source, _, _), _ in shown))
    right = list(dict.fromkeys(target for (_, target, _), _ in shown))
    return go.Sankey(
        visible=visible,
        arrangement="snap",
        valueformat=",",
        valuesuffix=" cases 例",
        node={
            "label": [*left, *right],
            "pad": 9,
            "thickness": 14,
            "color": [COLOURS["blue"]] * len(left) + [COLOURS["green"]] * len(right),
        },
        link={
            "source": [left.index(source) for (source, _, _), _ in shown],
            "target": [len(left) + right.index(target) for (_, target, _), _ in shown],
            "value": [number for _, number in shown],
            "color": [_TRANSPARENT[colour] for (_, _, colour), _ in shown],
        },
    )


def _colour(label: Label, migration: Migration, flow: Flow) -> str:
    if flow.before.grouped and not flow.after.grouped:
        return "lost"
    code = [label(migration.before, flow.before), label(migration.after, flow.after)]
    return "same" if code[0].split(" ")[0] == code[1].split(" ")[0] else "moved"


def _short(text: str, most: int = 16) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _without_group(answer: Answer) -> str:
    return f"{STATUS_TITLES[answer.status]} {answer.status}"


def _mdc_label(side: MigrationSide, answer: Answer) -> str:
    if not answer.grouped:
        return _without_group(answer)
    code = side.mdc(answer)
    return f"{code} {_short(next(mdc.name for mdc in side.scheme.mdcs if mdc.code == code))}"


def _adrg_label(side: MigrationSide, answer: Answer) -> str:
    code = side.adrg(answer)
    return f"{code} {_short(side.scheme.adrgs[code].name)}" if code else _without_group(answer)


def _drg_label(side: MigrationSide, answer: Answer) -> str:
    return f"{answer.drg} {_short(side.name(answer))}" if side.adrg(answer) else _without_group(answer)


def _hospital_chart(migration: Migration) -> go.Figure:
    """Relative CMI before and after, a dot each, one line per hospital; those that move most."""
    moves = [m for m in migration.hospitals if m.change is not None]
    moves = sorted(sorted(moves, key=lambda m: -abs(m.change or 0))[:30], key=lambda m: m.relative_before or 0)
    names = [m.hospital for m in moves]
    figure = go.Figure()
    for move in moves:
        colour = COLOURS["green"] if (move.change or 0) > 0 else COLOURS["red"]
        figure.add_scatter(
            x=[move.relative_before, move.relative_after],
            y=[move.hospital] * 2,
            mode="lines",
            line={"color": colour, "width": 3},
            showlegend=False,
            hoverinfo="skip",
        )
    for title, colour, values in (
        (f"{migration.before.scheme.id} 原方案", "grey", [m.relative_before for m in moves]),
        (f"{migration.after.scheme.id} 新方案", "blue", [m.relative_after for m in moves]),
    ):
        figure.add_scatter(
            x=values,
            y=names,
            mode="markers",
            name=title,
            marker={"color": COLOURS[colour], "size": 10},
            hovertemplate="%{y}<br>relative CMI %{x:.3f}<extra></extra>",
        )
    figure.update_xaxes(title="CMI / CMI of all hospitals 相对CMI")
    figure.update_yaxes(type="category", automargin=True)
    return figure
