"""The report of a model version as one page that needs nothing beside itself.

Figures are drawn by matplotlib, of the extra ``report``, as SVG within the page.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np

from ml.report import Findings

mpl.use("svg")
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

MOST_POINTS = 3_000
MOST_GROUPS = 20
INK, GOOD, BAD = "#26323d", "#2b7a78", "#c8553d"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #26323d; margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem } .quiet { color: #5b6975 } svg { max-width: 100%; height: auto }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem }
dt { color: #5b6975; font-size: .85rem } dd { margin: 0; font-size: 1.4rem }
table { border-collapse: collapse } th, td { padding: .2rem .9rem; text-align: right; border-bottom: 1px solid #dfe4e8 }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left }
.warning { border-left: .3rem solid #c8553d; padding-left: 1rem }
"""  # noqa: E501 - a line of CSS is not read like one of Python


@dataclass(frozen=True)
class Subject:
    """The version that a report is about.

    Attributes:
        title: of the market and the version, e.g. ``FR, model 7``.
        coverage: the share of prices that its intervals promise to hold.
    """

    title: str
    algorithm: str
    currency: str
    coverage: float
    trained_rows: int
    trained_from: date | None
    trained_to: date | None
    hyperparameters: dict[str, Any]


def page(subject: Subject, found: Findings) -> str:
    """The whole page as HTML."""
    sections = [
        _section(
            "Predicted against asked",
            "Unseen listings; on the line the estimate is the price that was asked.",
            _predicted(subject, found),
        ),
        _section(
            "Error by group",
            f"Brand and fuel, the {MOST_GROUPS} with most listings.",
            _groups(found),
            _group_table(found),
        ),
        _section(
            "Calibration",
            f"The share of prices inside their interval, tenth by tenth from the cheapest to the "
            f"dearest; promised are {subject.coverage:.0%}.",
            _calibration(subject, found),
        ),
        _section(
            "What matters",
            "Points of mean error that come on top when a feature is shuffled among the listings.",
            _bars(
                [name for name, _ in found.importance],
                [100 * effect for _, effect in found.importance],
                "points of mean error",
            ),
        ),
    ]
    if found.learning:
        sections.append(
            _section(
                "Learning curve",
                "Trained again on a share of the listings, one estimator each: does it pay to have "
                "more?",
                _learning(found),
            )
        )
    return _document(subject, found, sections)


def _document(subject: Subject, found: Findings, sections: Sequence[str]) -> str:
    settings = ", ".join(
        f"{escape(name)} {'by the listings' if value is None else escape(str(value))}"
        for name, value in subject.hyperparameters.items()
    )
    changed = (
        ""
        if found.same_listings
        else '<p class="warning">The listings have changed since this version was trained: it is '
        "measured on those of today.</p>"
    )
    window = f"{subject.trained_from or '?'} to {subject.trained_to or '?'}"
    facts = [
        ("mean error (MAPE)", f"{found.metrics['mape']:.2%}"),
        ("median error", f"{found.metrics['median_ape']:.2%}"),
        ("within 10 %", f"{found.metrics['within10']:.1%}"),
        ("mean error, money", f"{found.metrics['mae']:,.0f} {subject.currency}"),
        (f"inside the {subject.coverage:.0%} interval", f"{found.metrics['coverage']:.1%}"),
        ("its width, of the price", f"{found.metrics['relative_width']:.1%}"),
        ("unseen listings", f"{found.metrics['rows']:,}"),
        ("learnt from", f"{subject.trained_rows:,}"),
    ]
    listed = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(subject.title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(subject.title)}</h1>"
        f'<p class="quiet">{escape(subject.algorithm)}: {settings or "no hyperparameters"}. '
        f"Listings of {window}.</p>{changed}<dl>{listed}</dl>{''.join(sections)}</body></html>\n"
    )


def _section(title: str, words: str, *content: str) -> str:
    return f'<h2>{escape(title)}</h2><p class="quiet">{escape(words)}</p>{"".join(content)}'


def _predicted(subject: Subject, found: Findings) -> str:
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    places = np.linspace(0, len(found.price) - 1, min(MOST_POINTS, len(found.price))).astype(int)
    price, estimate = found.price[places], found.estimate[places]
    inside = (found.low[places] <= price) & (price <= found.high[places])
    for which, colour, words in (
        (inside, GOOD, "inside the interval"),
        (~inside, BAD, "outside"),
    ):
        axes.scatter(price[which], estimate[which], s=4, alpha=0.5, color=colour, label=words)
    ends = [min(price.min(), estimate.min()), max(price.max(), estimate.max())]
    axes.plot(ends, ends, color=INK, linewidth=0.8)
    axes.set(
        xscale="log", yscale="log",
        xlabel=f"asked, {subject.currency}", ylabel=f"estimated, {subject.currency}",
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False)
    return _svg(figure)


def _groups(found: Findings) -> str:
    groups = found.metrics["groups"][:MOST_GROUPS]
    return _bars(
        [f"{group['brand']} {group['fuel'].lower()}" for group in groups],
        [100 * group["mape"] for group in groups],
        "mean error, %",
    )


def _group_table(found: Findings) -> str:
    rows = "".join(
        f"<tr><td>{escape(group['brand'])}</td><td>{escape(group['fuel'])}</td>"
        f"<td>{group['rows']:,}</td><td>{group['mape']:.1%}</td><td>{group['coverage']:.1%}</td>"
        for group in found.metrics["groups"]
    )
    head = "<tr><th>brand<th>fuel<th>listings<th>mean error<th>coverage</tr>"
    return f"<details><summary>All groups</summary><table>{head}{rows}</table></details>"


def _calibration(subject: Subject, found: Findings) -> str:
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    tenths = np.arange(1, len(found.by_level) + 1)
    axes.bar(tenths, [100 * share for share in found.by_level], color=GOOD)
    axes.axhline(100 * subject.coverage, color=BAD, linewidth=1)
    lowest = min(min(found.by_level, default=0.0), subject.coverage)
    axes.set(
        xlabel="tenth by price", ylabel="inside, %", xticks=tenths,
        ylim=(max(0.0, 100 * lowest - 10), 100),
    )  # fmt: skip
    return _svg(figure)


def _learning(found: Findings) -> str:
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    listings, error = zip(*found.learning, strict=True)
    axes.plot(listings, [100 * each for each in error], marker="o", color=GOOD)
    axes.set(xscale="log", xlabel="listings learnt from", ylabel="mean error, %")
    return _svg(figure)


def _bars(names: Sequence[str], values: Sequence[float], unit: str) -> str:
    figure = Figure(figsize=(7, 0.8 + 0.26 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.barh(names[::-1], values[::-1], color=GOOD)
    axes.set(xlabel=unit)
    return _svg(figure)


def _svg(figure: Figure) -> str:
    """The drawing alone: what comes before it belongs to a file of its own."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    output = io.StringIO()
    figure.savefig(output, format="svg", metadata={"Date": None})
    drawn = output.getvalue()
    return drawn[drawn.index("<svg") :]
