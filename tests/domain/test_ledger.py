from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import Ledger
from domain.tables import Activation

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def a_row(id: int, starts: int, ends: int | None = None, share: float = 1.0) -> Activation:
    return Activation(
        id=id,
        market_id=1,
        version_id=id,
        starts_at=at(starts),
        ends_at=None if ends is None else at(ends),
        share=share,
        activated_by="bob",
        recorded_at=START,
    )


def told(ledger: Ledger) -> list[tuple[int, int | None, int | None, int | None]]:
    """Each stretch as hours from the start and ids: from, to, active, challenger."""

    def hours(instant: datetime | None) -> int | None:
        return None if instant is None else int((instant - START) / timedelta(hours=1))

    return [
        (
            int((each.starts_at - START) / timedelta(hours=1)),
            hours(each.ends_at),
            each.active.id if each.active else None,
            each.challenger.id if each.challenger else None,
        )
        for each in ledger.stretches
    ]


@pytest.mark.parametrize(
    ("rows", "stretches"),
    [
        ([], []),
        ([a_row(1, 0)], [(0, None, 1, None)]),
        # One without an end ends the one before where it starts.
        ([a_row(1, 0), a_row(2, 5)], [(0, 5, 1, None), (5, None, 2, None)]),
        # One with an end is laid over: then the one before prices again.
        (
            [a_row(1, 0), a_row(2, 5, 8)],
            [(0, 5, 1, None), (5, 8, 2, None), (8, None, 1, None)],
        ),
        # Laid over what is laid over.
        (
            [a_row(1, 0), a_row(2, 2, 9), a_row(3, 4, 6)],
            [
                (0, 2, 1, None),
                (2, 4, 2, None),
                (4, 6, 3, None),
                (6, 9, 2, None),
                (9, None, 1, None),
            ],
        ),
        # One without an end also ends what is laid over.
        (
            [a_row(1, 0), a_row(2, 2, 9), a_row(3, 4)],
            [(0, 2, 1, None), (2, 4, 2, None), (4, None, 3, None)],
        ),
        # Nothing beneath: nothing prices.
        ([a_row(1, 0, 3)], [(0, 3, 1, None), (3, None, None, None)]),
        # Of two that start at once, the one recorded later is in force.
        ([a_row(2, 4), a_row(1, 4)], [(4, None, 2, None)]),
        # A challenger runs beside, until its end or the next full activation.
        (
            [a_row(1, 0), a_row(2, 2, 6, share=0.1)],
            [(0, 2, 1, None), (2, 6, 1, 2), (6, None, 1, None)],
        ),
        (
            [a_row(1, 0), a_row(2, 2, share=0.1), a_row(3, 4)],
            [(0, 2, 1, None), (2, 4, 1, 2), (4, None, 3, None)],
        ),
        # Also one that has an end ends it, and it does not come back.
        (
            [a_row(1, 0), a_row(2, 2, share=0.1), a_row(3, 4, 6)],
            [(0, 2, 1, None), (2, 4, 1, 2), (4, 6, 3, None), (6, None, 1, None)],
        ),
        # A challenger goes on when the version above it ends by itself.
        (
            [a_row(1, 0), a_row(2, 1, 6), a_row(3, 2, share=0.1)],
            [(0, 1, 1, None), (1, 2, 2, None), (2, 6, 2, 3), (6, None, 1, 3)],
        ),
    ],
)
def test_what_is_in_force_follows_from_the_rows(
    rows: list[Activation], stretches: list[tuple[int, int | None, int | None, int | None]]
) -> None:
    assert told(Ledger(rows)) == stretches


@st.composite
def any_rows(draw: st.DrawFn) -> list[Activation]:
    rows = []
    for key in range(1, draw(st.integers(0, 8)) + 1):
        starts = draw(st.integers(0, 12))
        ends = draw(st.none() | st.integers(starts + 1, 14))
        rows.append(a_row(key, starts, ends, share=draw(st.sampled_from([1.0, 1.0, 0.2]))))
    return draw(st.permutations(rows))


def in_force_by_the_book(
    rows: list[Activation], instant: datetime
) -> tuple[int | None, int | None]:
    """The semantics read word by word, one instant at a time."""

    def order(row: Activation) -> tuple[datetime, int]:
        return row.starts_at, row.id

    def runs(row: Activation) -> bool:
        return row.starts_at <= instant and (row.ends_at is None or instant < row.ends_at)

    full = [row for row in rows if row.share == 1]
    active = max((row for row in full if runs(row)), key=order, default=None)
    challenger = max(
        (row for row in rows if row.share < 1 and row.starts_at <= instant), key=order, default=None
    )
    if challenger is not None:
        ended = any(order(challenger) < order(row) and row.starts_at <= instant for row in full)
        challenger = None if ended or not runs(challenger) else challenger
    return active.id if active else None, challenger.id if challenger else None


@given(any_rows())
def test_at_each_instant_the_ledger_says_what_the_semantics_say(rows: list[Activation]) -> None:
    ledger = Ledger(rows)

    for half_hour in range(-1, 30):
        instant = START + timedelta(minutes=30 * half_hour)
        stretch = ledger.at(instant)
        active = stretch.active.id if stretch and stretch.active else None
        challenger = stretch.challenger.id if stretch and stretch.challenger else None
        assert (active, challenger) == in_force_by_the_book(rows, instant)


@given(any_rows())
def test_stretches_follow_each_other_without_gap_or_overlap(rows: list[Activation]) -> None:
    stretches = Ledger(rows).stretches

    assert all(earlier.ends_at == later.starts_at for earlier, later in pairwise(stretches))
    assert all(each.ends_at is None or each.starts_at < each.ends_at for each in stretches)
    assert not stretches or stretches[-1].ends_at is None


@given(any_rows(), st.integers(-1, 15))
def test_nothing_changes_before_the_next_change(rows: list[Activation], hour: int) -> None:
    ledger = Ledger(rows)

    change = ledger.next_change_after(at(hour))

    just_before = START + timedelta(hours=40) if change is None else change - timedelta(seconds=1)
    assert ledger.at(just_before) == ledger.at(at(hour))
    assert change is None or ledger.at(change) != ledger.at(at(hour))


def test_an_activation_ends_for_good_where_it_prices_for_the_last_time() -> None:
    ledger = Ledger([a_row(1, 0), a_row(2, 2, 9), a_row(3, 4, 6), a_row(4, 7), a_row(5, 7)])

    assert [ledger.end_of(key) for key in (1, 2, 3, 4, 5)] == [at(2), at(7), at(6), at(7), None]


@pytest.mark.parametrize(
    ("rows", "beneath"),
    [
        ([a_row(1, 0)], []),
        ([a_row(1, 0), a_row(2, 5)], [1]),
        ([a_row(1, 0), a_row(2, 3), a_row(3, 5)], [2]),
        ([a_row(1, 0), a_row(2, 3, 9), a_row(3, 5)], [2, 1]),  # laid over, and still would be
        ([a_row(1, 0), a_row(2, 3, 5), a_row(3, 5)], [1]),  # over by itself since
        ([a_row(1, 0), a_row(2, 2, share=0.5), a_row(3, 5)], [1]),  # a challenger is no layer
    ],
)
def test_beneath_an_activation_lies_what_was_active_before(
    rows: list[Activation], beneath: list[int]
) -> None:
    ledger = Ledger(rows)

    assert [row.id for row in ledger.beneath(rows[-1], at(6))] == beneath
