"""Registrations and proofs: what becomes of a row, which number counts, and what the table holds of either."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.registration import Proof
from shared.plate_crypto import PlateCrypto
from shared.stores.items import Item, transact
from shared.stores.registry import Registry
from shared.stores.versioned import INSERTED, RETURNS_UNDATED, STALE, UNCHANGED, UPDATED, Hurting
from tests.support.aws import Engine, Tables, before
from tests.support.build import NOON, OTHER_PLATE, PLATE, SUB, registration


@pytest.fixture
def registry(engine: Engine, tables: Tables) -> Registry:
    return Registry(engine.fast(), tables["Registry"], PlateCrypto(b"key"), sleep=lambda _: None)


def proves(registry: Registry, number: str, category: str | None = None) -> bool:
    return registry.prove(PLATE.key, category, number)[0].right


class TestWriting:
    def test_each_row_has_its_outcome(self, registry: Registry) -> None:
        first = registration("A1111"), registration("B2222", OTHER_PLATE)
        assert registry.write(first) == [INSERTED, INSERTED]
        newer = registration("A1111", at="2026-11-02"), registration("C3333", OTHER_PLATE, at="2026-11-02")
        assert registry.write(newer) == [UNCHANGED, UPDATED]
        assert registry.write([registration("D4444", at="2026-10-31")]) == [STALE]

    def test_a_line_that_comes_again_counts_as_it_did(self, registry: Registry) -> None:
        first, second = registration("A1111"), registration("B2222", at="2026-11-02")
        assert registry.write([first]) == registry.write([first]) == [INSERTED]
        assert registry.write([second]) == registry.write([second]) == [UPDATED]
        assert registry.write([first]) == [INSERTED]
        assert proves(registry, "B2222")

    def test_the_same_number_with_a_newer_date_of_its_own_moves_the_version(self, registry: Registry) -> None:
        registry.write([registration("A1111")])
        assert registry.write([registration("A1111", at="2026-11-05", dated=True)]) == [UPDATED]
        assert registry.write([registration("B2222", at="2026-11-03")]) == [STALE]

    @pytest.mark.parametrize("known", [False, True])
    def test_what_came_between_reading_and_writing_is_decided_on(
        self, engine: Engine, registry: Registry, tables: Tables, known: bool
    ) -> None:
        if known:
            registry.write([registration("A1111")])
        newer = registration("C3333", at="2026-11-03")
        overtaken = Registry(
            before(engine.fast(), "TransactWriteItems", lambda: registry.write([newer])),
            tables["Registry"],
            PlateCrypto(b"key"),
            sleep=lambda _: None,
        )
        assert overtaken.write([registration("B2222", at="2026-11-02")]) == [STALE]
        assert proves(registry, "C3333")

    def test_a_hundred_at_once(self, registry: Registry) -> None:
        rows = [registration(f"N{number:04}", PLATE._replace(number=str(number))) for number in range(1, 101)]
        assert registry.write(rows) == [INSERTED] * 100
        assert registry.write([row._replace(ref="again") for row in rows]) == [UNCHANGED] * 100

    def test_neither_plates_nor_numbers_are_kept(self, engine: Engine, registry: Registry, tables: Tables) -> None:
        registry.write([registration("SECRET77", category="hire")])
        registry.count_wrong(PLATE.key, NOON)
        transact(
            engine.fast(),
            [registry.wait_action(PLATE.key, SUB, print_of("WAIT99"), NOON)],
        )
        for item in tables.items("Registry"):
            assert re.fullmatch("[0-9a-f]{32}", item["pk"]["S"])
            assert not re.search(f"SECRET77|WAIT99|{PLATE.number}|{PLATE.key}", str(item))


CRYPTO = PlateCrypto(b"key")


def print_of(number: str) -> str:
    return CRYPTO.registration_fingerprint(PLATE.key, number)


class Card(NamedTuple):
    """A card as the table holds it. began: the day; replaced: the other numbers that stood here."""

    number: str
    began: str
    first: bool
    replaced: frozenset[str]


def read(item: Item, numbers: str = "ABC") -> Card:
    named = {print_of(letter * 4): letter for letter in numbers}
    number = named[item["number"]["S"]]
    replaced = frozenset(named[each] for each in item.get("replaced", {"SS": []})["SS"]) - {number}
    return Card(number, item["began"]["S"][:10], item["first"]["BOOL"], replaced)


class TestWhatStoodBefore:
    @pytest.fixture
    def card(self, registry: Registry, tables: Tables) -> Callable[..., Card]:
        def take(*said: str) -> Card:
            """Bring in rows such as A03, or a03 of one without a date of its own, each of a file; returns the card."""
            for each in said:
                row = registration(each[0].upper() * 4, at=f"2026-11-{each[1:]}", dated=each[0].isupper())
                registry.write([row])
            (item,) = tables.items("Registry")
            return read(item)

        return take

    def test_a_card_that_is_repeated_began_with_its_first_row(self, card: Callable[..., Card], tables: Tables) -> None:
        assert card("A01", "a02", "A03") == ("A", "2026-11-01", True, frozenset())
        (item,) = tables.items("Registry")
        assert item["known_from"]["S"] == "2026-11-01T00:00:00+03:00"

    def test_another_number_began_with_its_own_row_and_is_no_first_one(
        self, card: Callable[..., Card], tables: Tables
    ) -> None:
        assert card("A01", "B02", "B03") == ("B", "2026-11-02", False, frozenset("A"))
        (item,) = tables.items("Registry")
        assert item["known_from"]["S"] == "2026-11-01T00:00:00+03:00"

    def test_an_older_row_moves_the_beginning_of_a_number_that_nobody_else_had(self, card: Callable[..., Card]) -> None:
        assert card("A03", "A01", "A04", "A02") == ("A", "2026-11-01", True, frozenset())

    def test_an_older_row_of_another_number_leaves_only_what_is_certain(self, card: Callable[..., Card]) -> None:
        assert card("A03", "A01", "B02", "A01") == ("A", "2026-11-03", False, frozenset("B"))

    def test_an_older_row_before_the_beginning_leaves_it(self, card: Callable[..., Card]) -> None:
        assert card("A02", "A03", "B01") == ("A", "2026-11-02", False, frozenset("B"))

    def test_a_row_without_a_date_brings_nothing_back(self, registry: Registry, card: Callable[..., Card]) -> None:
        card("A01", "B02")
        (outcome,) = registry.write([registration("AAAA", at="2026-11-05")])
        assert isinstance(outcome, Hurting)
        assert (outcome, outcome.hurts) == (STALE, ((RETURNS_UNDATED, "registry-2026-11-05#2"),))
        assert card("b06", "c07", "b08", "a09") == ("C", "2026-11-07", False, frozenset("AB"))
        assert card("A10").number == "A"

    def test_lines_of_one_file_bring_back_what_another_of_them_replaced(self, registry: Registry) -> None:
        registry.write([registration("AAAA")])
        lines = [registration(number, at="2026-11-02") for number in ("BBBB", "AAAA")]
        lines[1] = lines[1]._replace(ref="registry-2026-11-02#3", version=lines[1].version[:-1] + "3")
        assert [registry.write([line]) for line in lines] == [[UPDATED], [UPDATED]]
        assert proves(registry, "AAAA")

    @pytest.mark.parametrize("meanwhile", ["B02", "A01"])
    def test_what_another_run_learns_of_the_past_is_not_lost(
        self, engine: Engine, registry: Registry, tables: Tables, card: Callable[..., Card], meanwhile: str
    ) -> None:
        card("A04")
        call = before(engine.fast(), "TransactWriteItems", lambda: card(meanwhile))
        overtaken = Registry(call, tables["Registry"], CRYPTO, sleep=lambda _: None)
        overtaken.write([registration("AAAA" if meanwhile == "B02" else "BBBB", at="2026-11-03", dated=True)])
        assert card() == card(meanwhile) == ("A", "2026-11-04", False, frozenset("B"))

    def test_a_row_without_a_date_is_refused_by_what_comes_between(
        self, engine: Engine, registry: Registry, tables: Tables, card: Callable[..., Card]
    ) -> None:
        card("A04")
        call = before(engine.fast(), "TransactWriteItems", lambda: card("B02"))
        overtaken = Registry(call, tables["Registry"], CRYPTO, sleep=lambda _: None)
        assert overtaken.write([registration("BBBB", at="2026-11-05")]) == [STALE]

    def test_rows_in_any_order_end_in_the_same_card_or_one_that_shows_less(
        self, registry: Registry, tables: Tables
    ) -> None:
        dated = st.one_of(st.just(value=True), st.booleans())
        rows = st.lists(st.tuples(st.sampled_from("AAAABC"), dated), min_size=1, max_size=5)
        plates = itertools.count(1)

        def ends(said: Sequence[tuple[int, str, bool]]) -> Card:
            plate = PLATE._replace(number=str(next(plates)))
            for day, number, dated in said:
                registry.write([registration(number * 4, plate, at=f"2026-11-{day:02}", dated=dated)])
            mark = CRYPTO.plate_fingerprint(plate.key)
            (item,) = [item for item in tables.items("Registry") if item["pk"]["S"] == mark]
            named = {CRYPTO.registration_fingerprint(plate.key, letter * 4): print_of(letter * 4) for letter in "ABC"}
            replaced = [named[each] for each in item.get("replaced", {"SS": []})["SS"]]
            return read({**item, "number": {"S": named[item["number"]["S"]]}, "replaced": {"SS": replaced}})

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(rows, st.randoms(use_true_random=False))
        def holds(said: list[tuple[str, bool]], random: Random) -> None:
            in_order = [(day, number, dated) for day, (number, dated) in enumerate(said, 1)]
            shuffled = random.sample(in_order, len(in_order))
            found, right = ends(shuffled), ends(in_order)
            others = [f"2026-11-{day:02}" for day, number, _ in in_order if number != found.number]
            assert found.first == (not others)
            assert found.replaced == {number for _, number, _ in in_order if number != found.number} or not all(
                dated for *_, dated in in_order
            )
            if all(dated for *_, dated in in_order):
                assert found._replace(began="") == right._replace(began="")
                assert found.began >= right.began
                assert found.began == right.began or others
                assert all(day <= found.began for day in others)

        holds()


class TestProving:
    def test_a_replaced_number_proves_no_more(self, registry: Registry) -> None:
        registry.write([registration("A1111")])
        assert proves(registry, "A1111")
        registry.write([registration("B2222", at="2026-11-02")])
        assert not proves(registry, "A1111")
        assert proves(registry, "B2222")

    @pytest.mark.parametrize("category", [None, "hire"])
    def test_a_newer_row_without_a_category_replaces_one_with(self, registry: Registry, category: str | None) -> None:
        registry.write([registration("A1111", category="hire")])
        registry.write([registration("B2222", at="2026-11-02")])
        assert [proves(registry, number, category) for number in ("A1111", "B2222")] == [False, True]

    @pytest.mark.parametrize("category", [None, "hire"])
    def test_a_newer_row_with_a_category_replaces_one_without(self, registry: Registry, category: str | None) -> None:
        registry.write([registration("A1111")])
        registry.write([registration("B2222", category="hire", at="2026-11-02")])
        assert [proves(registry, number, category) for number in ("A1111", "B2222")] == [False, True]

    def test_a_category_of_which_nothing_is_registered_is_that_of_a_row_without(self, registry: Registry) -> None:
        registry.write([registration("A1111")])
        registry.write([registration("B2222", category="hire", at="2026-11-02")])
        assert [proves(registry, number, "private") for number in ("A1111", "B2222")] == [True, False]

    def test_the_card_of_one_of_several_categories_says_which(self, registry: Registry) -> None:
        registry.write([registration("A1111", category="hire"), registration("B2222", category="private")])
        assert registry.prove(PLATE.key, None, "A1111")[0].category == "hire"
        assert registry.prove(PLATE.key, None, "B2222")[0].category == "private"
        assert registry.prove(PLATE.key, "hire", "A1111")[0].category == "hire"
        assert not registry.prove(PLATE.key, "hire", "B2222")[0].right

    def test_the_one_category_that_is_registered_does_not_narrow_the_link(self, registry: Registry) -> None:
        registry.write([registration("A1111", category="hire")])
        assert registry.prove(PLATE.key, None, "A1111")[0] == Proof(right=True)

    def test_a_plate_that_is_not_registered_is_proved_by_nothing(self, registry: Registry) -> None:
        for number in ("0" * 32, "", "A1111"):
            assert not proves(registry, number)

    def test_the_same_number_on_another_plate_has_another_fingerprint(self, registry: Registry, tables: Tables) -> None:
        registry.write([registration("A1111"), registration("A1111", OTHER_PLATE)])
        assert len({item["number"]["S"] for item in tables.items("Registry")}) == 2

    def test_wrong_numbers_of_a_plate_are_counted_by_the_day(self, registry: Registry) -> None:
        assert [registry.count_wrong(PLATE.key, NOON) for _ in range(3)] == [1, 2, 3]
        assert registry.count_wrong(OTHER_PLATE.key, NOON) == 1
        assert registry.count_wrong(PLATE.key, NOON + timedelta(days=1)) == 1

    def test_what_is_not_registered_is_not_known(self, registry: Registry) -> None:
        assert not registry.prove(PLATE.key, None, "A1111")[0].known
        registry.write([registration("A1111", category="hire")])
        assert registry.prove(PLATE.key, None, "B2222")[0].known
        assert not registry.prove(PLATE.key, "private", "A1111")[0].known
