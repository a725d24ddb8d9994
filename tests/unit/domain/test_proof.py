"""Which number proves a vehicle, since when, and when it no longer does: a pure matter of the plate's cards."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.registration import Card, Proof, compare, still_proves

DAYS = st.integers(1, 28).map(lambda day: f"2026-11-{day:02}")


def card(number: str, day: str, *, began: str | None = None, is_first: bool = True) -> Card:
    """A card of a row of a day; began: of its number, if that was earlier or later than its newest row."""
    return Card(number, f"{day}#{day}#2", began or day, is_first, day)


def cards(draw: st.DrawFn) -> dict[str, Card]:
    found: dict[str, Card] = {}
    for category in draw(st.sets(st.sampled_from(["", "hire", "private"]))):
        began, day = sorted((draw(DAYS), draw(DAYS)))
        found[category] = card(draw(st.sampled_from("ABC")), day, began=began, is_first=draw(st.booleans()))
    return found


CARDS = st.composite(cards)()
CATEGORIES = st.sampled_from([None, "hire", "private"])


class TestCompare:
    def test_the_first_number_known_of_a_vehicle_stands_since_ever(self) -> None:
        assert compare({"": card("A", "2026-11-01")}, None, "A") == Proof(right=True)

    def test_one_that_replaced_another_stands_since_its_first_row(self) -> None:
        changed = {"": card("B", "2026-11-20", began="2026-11-05", is_first=False)}
        assert compare(changed, None, "B") == Proof(right=True, since="2026-11-05")
        assert compare(changed, None, "A") == Proof(right=False)

    def test_a_newer_card_that_names_no_category_takes_the_place_of_one_that_does(self) -> None:
        both = {"hire": card("A", "2026-11-01"), "": card("B", "2026-11-09")}
        assert compare(both, "hire", "B") == Proof(right=True, category="hire", since="2026-11-09")
        assert not compare(both, "hire", "A").right

    def test_one_that_repeats_the_number_of_the_other_goes_on(self) -> None:
        both = {"": card("A", "2026-11-01"), "hire": card("A", "2026-11-09")}
        assert compare(both, "hire", "A") == Proof(right=True, category="hire")
        changed = {"": card("A", "2026-11-05", is_first=False), "hire": card("A", "2026-11-09")}
        assert compare(changed, "hire", "A").since == "2026-11-05"

    def test_of_a_number_older_than_what_it_replaced_only_its_newest_row_is_certain(self) -> None:
        both = {"hire": card("B", "2026-11-05"), "": card("A", "2026-11-09", began="2026-11-01")}
        assert compare(both, "hire", "A").since == "2026-11-09"

    @given(CARDS, CATEGORIES, st.sampled_from("ABC"))
    def test_a_number_stands_since_no_later_than_the_newest_row(
        self, found: Mapping[str, Card], category: str | None, number: str
    ) -> None:
        proof = compare(found, category, number)
        if proof.right and proof.since:
            assert proof.since <= max(each.version[:10] for each in found.values())

    @given(CARDS, CATEGORIES)
    def test_of_one_vehicle_one_number_is_right(self, found: Mapping[str, Card], category: str | None) -> None:
        right = [number for number in "ABC" if compare(found, category, number).right]
        known = compare(found, category, "A").known
        assert known is compare(found, category, "C").known
        assert bool(right) is known
        if category:
            assert len(right) <= 1

    @given(CARDS, st.sampled_from("ABC"))
    def test_who_names_no_category_gets_that_of_the_card(self, found: Mapping[str, Card], number: str) -> None:
        proof = compare(found, None, number)
        if proof.right:
            assert compare(found, proof.category, number).right


class TestAskedAnew:
    def test_a_proof_ends_with_another_number(self) -> None:
        assert still_proves({"": card("A", "2026-11-01")}, None, "A", "2026-11-10").right
        after = {"": card("B", "2026-11-20", is_first=False)}
        assert not still_proves(after, None, "A", "2026-11-10").right

    def test_it_does_not_come_back_with_its_number(self) -> None:
        back = {"": card("A", "2026-11-25", is_first=False)}
        assert not still_proves(back, None, "A", "2026-11-10").right
        assert still_proves(back, None, "A", "2026-11-26").right

    def test_where_nothing_is_registered_any_more_it_goes_on_for_what_comes(self) -> None:
        assert still_proves({}, "hire", "A", "2026-11-10") == Proof(
            right=True, known=False, category="hire", since="2026-11-10"
        )

    @given(CARDS, CATEGORIES, st.sampled_from("ABC"), DAYS)
    def test_it_never_says_more_than_proving_now(
        self, found: Mapping[str, Card], category: str | None, number: str, proved_at: str
    ) -> None:
        anew, now = still_proves(found, category, number, proved_at), compare(found, category, number)
        if now.known and anew.right:
            assert anew == now
