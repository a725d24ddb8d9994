"""Registrations and proofs: what becomes of a row, which number counts, and what the table holds of either."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from shared.plate_crypto import PlateCrypto
from shared.stores.registry import MAX_TRIES, Registry, TooManyTriesError
from shared.stores.versioned import INSERTED, STALE, UNCHANGED, UPDATED
from tests.support.aws import Engine, Tables, before
from tests.support.build import NOON, OTHER_PLATE, PLATE, SUB, registration


@pytest.fixture
def registry(engine: Engine, tables: Tables) -> Registry:
    return Registry(engine.fast(), tables["Registry"], PlateCrypto(b"key"), sleep=lambda _: None)


def proves(registry: Registry, number: str, category: str | None = None, sub: str = SUB) -> bool:
    return registry.prove(sub, PLATE.key, category, number, NOON).right


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

    def test_neither_plates_nor_numbers_are_kept(self, registry: Registry, tables: Tables) -> None:
        registry.write([registration("SECRET77", category="hire")])
        proves(registry, "WRONG888")
        for item in tables.items("Registry"):
            assert re.fullmatch("[0-9a-f]{32}", item["pk"]["S"])
            assert not re.search(f"SECRET77|WRONG888|{PLATE.number}|{PLATE.key}", str(item))


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
        assert registry.prove(SUB, PLATE.key, None, "A1111", NOON).category == "hire"
        assert registry.prove(SUB, PLATE.key, None, "B2222", NOON).category == "private"
        assert registry.prove(SUB, PLATE.key, "hire", "A1111", NOON).category == "hire"
        assert not registry.prove(SUB, PLATE.key, "hire", "B2222", NOON).right

    def test_the_one_category_that_is_registered_does_not_narrow_the_link(self, registry: Registry) -> None:
        registry.write([registration("A1111", category="hire")])
        assert registry.prove(SUB, PLATE.key, None, "A1111", NOON) == (True, None, 0)

    def test_a_plate_that_is_not_registered_is_proved_by_nothing(self, registry: Registry) -> None:
        for number in ("0" * 32, "", "A1111"):
            assert not proves(registry, number)

    def test_the_same_number_on_another_plate_has_another_fingerprint(self, registry: Registry, tables: Tables) -> None:
        registry.write([registration("A1111"), registration("A1111", OTHER_PLATE)])
        assert len({item["number"]["S"] for item in tables.items("Registry")}) == 2

    def test_wrong_tries_stop_one_citizen_for_one_plate_and_day(self, registry: Registry) -> None:
        registry.write([registration("A1111"), registration("B2222", OTHER_PLATE)])
        wrong = [registry.prove(SUB, PLATE.key, None, f"W{n}", NOON).wrong_today for n in range(MAX_TRIES)]
        assert wrong == [1, 2, 3, 4, 5]
        with pytest.raises(TooManyTriesError):
            proves(registry, "A1111")
        assert proves(registry, "A1111", sub="the owner")
        assert registry.prove(SUB, OTHER_PLATE.key, None, "B2222", NOON).right
        assert registry.prove(SUB, PLATE.key, None, "A1111", NOON + timedelta(days=1)).right
