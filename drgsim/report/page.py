"""Self-contained HTML pages: a template, charts drawn by plotly with its script inside, no network."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import jinja2
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from drgsim.version import __version__

_TEMPLATES = Path(__file__).with_name("templates")
FONT = "'Noto Sans CJK SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', system-ui, sans-serif"
COLOURS = {"blue": "#2f6f9f", "green": "#4c9a6a", "amber": "#d9982f", "red": "#c0504d", "grey": "#9aa5b1", "light": "#8fb8d3"}


def chart(figure: go.Figure, height: int = 420, top: int = 20, name: str | None = None) -> str:
    """A figure as a fragment of HTML (the page carries plotly's script once).

    ``top`` is the margin above it in pixels; ``name`` the id of its element, by default made of the figure.
    """
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 10, "r": 44, "t": top, "b": 40},
        modebar={"orientation": "v"},  # in the right margin: a legend of two lines would lie under it
        font={"family": FONT, "size": 13},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        separators=".,",
    )
    config = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}
    name = name or f"chart-{sha256(figure.to_json().encode()).hexdigest()[:12]}"  # the same figure gives the same bytes
    return str(figure.to_html(full_html=False, include_plotlyjs=False, config=config, div_id=name))


def render_page(template: str, **values: Any) -> str:
    """Fill a template of ``drgsim/report/templates``; texts are escaped, charts are not."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,.0f}"
    environment.filters["share"] = lambda number: f"{100 * number:.1f} %"
    return environment.get_template(template).render(plotly_script=get_plotlyjs, font=FONT, version=__version__, **values)
