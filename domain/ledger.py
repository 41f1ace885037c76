"""The ledger of activations, read: which one prices a market's quotes at which moment.

Of the full activations that have started and not ended, the one that started last is in force: one
without an end takes the place of all before it, one with an end is laid over them. A challenger
(share below 1) runs beside until its own end or the next full activation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.tables import Activation


@dataclass(frozen=True, slots=True)
class Stretch:
    """What prices quotes from ``starts_at`` on, before ``ends_at``; None is for ever."""

    starts_at: datetime
    ends_at: datetime | None
    active: Activation | None
    challenger: Activation | None


class Ledger:
    """All activations of one market, in the order in which they take effect."""

    def __init__(self, rows: Iterable[Activation]) -> None:
        # Of two that start at once, the one recorded later comes second and so is in force.
        self.rows = sorted(rows, key=lambda row: (row.starts_at, row.id))
        self.stretches = effective_intervals(self.rows)

    def at(self, instant: datetime) -> Stretch | None:
        """The stretch that holds the instant; None before the first activation."""
        for stretch in reversed(self.stretches):
            if stretch.starts_at <= instant:
                return stretch
        return None

    def from_on(self, instant: datetime) -> list[Stretch]:
        """The stretch that holds the instant and all later ones."""
        return [
            stretch
            for stretch in self.stretches
            if stretch.ends_at is None or stretch.ends_at > instant
        ]

    def next_change_after(self, instant: datetime) -> datetime | None:
        """When something else prices than at the instant, as far as is recorded."""
        return next((each.starts_at for each in self.stretches if each.starts_at > instant), None)

    def next_full_start_after(self, instant: datetime) -> datetime | None:
        """When the next full activation starts, which ends a challenger that runs then."""
        return next(
            (row.starts_at for row in self.rows if row.share == 1 and row.starts_at > instant), None
        )

    def of_version(self, version_id: int) -> list[Stretch]:
        """When a version prices quotes, all or a share of them, oldest first."""
        return [
            stretch
            for stretch in self.stretches
            for row in (stretch.active, stretch.challenger)
            if row is not None and row.version_id == version_id
        ]

    def end_of(self, activation_id: int) -> datetime | None:
        """When an activation stops pricing for good; None while nothing ends it.

        One that was replaced at its very start ends there.
        """
        for stretch in reversed(self.stretches):
            for row in (stretch.active, stretch.challenger):
                if row is not None and row.id == activation_id:
                    return stretch.ends_at
        return next(row.starts_at for row in self.rows if row.id == activation_id)

    def beneath(self, activation: Activation, at: datetime) -> list[Activation]:
        """What was active before an activation, were it not for that one and all after it.

        Topmost first: activations that have an end, and then the one that they are laid over.
        """
        layers: list[Activation] = []
        for row in reversed(self.rows[: self.rows.index(activation)]):
            if row.share == 1 and (row.ends_at is None or row.ends_at > at):
                layers.append(row)
                if row.ends_at is None:
                    break
        return layers


def effective_intervals(rows: Sequence[Activation]) -> list[Stretch]:
    """The stretches of a market's time: half-open, without gap or overlap, the last one open.

    Args:
        rows: of one market, by start and then by id.
    """
    starting: defaultdict[datetime, list[Activation]] = defaultdict(list)
    for row in rows:
        starting[row.starts_at].append(row)
    moments = sorted(starting.keys() | {row.ends_at for row in rows if row.ends_at is not None})

    # Full activations laid over each other, the lowest without an end.
    layers: list[Activation] = []
    challenger: Activation | None = None
    beginnings: list[tuple[datetime, Activation | None, Activation | None]] = []
    for moment in moments:
        layers = [row for row in layers if _runs_at(row, moment)]
        if challenger is not None and not _runs_at(challenger, moment):
            challenger = None
        for row in starting[moment]:
            if row.share < 1:
                challenger = row
            else:
                layers = [*layers, row] if row.ends_at is not None else [row]
                challenger = None
        beginnings.append((moment, layers[-1] if layers else None, challenger))
    return _joined(beginnings)


def _runs_at(row: Activation, moment: datetime) -> bool:
    return row.ends_at is None or row.ends_at > moment


def _joined(
    beginnings: Sequence[tuple[datetime, Activation | None, Activation | None]],
) -> list[Stretch]:
    """Stretches from their beginnings; one that goes on as before is no new one."""
    changes = [
        beginning
        for position, beginning in enumerate(beginnings)
        if position == 0 or beginning[1:] != beginnings[position - 1][1:]
    ]
    ends = [beginning[0] for beginning in changes[1:]]
    return [
        Stretch(starts_at, ends_at, active, challenger)
        for (starts_at, active, challenger), ends_at in zip(changes, [*ends, None], strict=False)
    ]
