"""The quotas on a citizen's profile: counted by the write that admits, whoever else writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.citizen import FollowersFullError, Limits, Profile, QuotaError, Vehicle
from shared.stores.people.citizens import Citizens
from shared.stores.people.profiles import Subject
from tests.support.aws import Engine, Tables, Watched
from tests.support.build import NOON, OTHER_PLATE, PHONE, SUB, follower

MIDNIGHT = timedelta(hours=12)
LIMITS = Limits(queries=5, plates=2, links=2, vehicles=3, unreadable=4)


def subject(number: int) -> Subject:
    return Subject(f"OLD#11#{number}", f"mark-{number}")


def vehicle(number: int, *, proven: bool = False) -> Vehicle:
    return Vehicle(f"v{number}", f"OLD#11#{number}", None, "self", True, proven)


@pytest.fixture
def port(engine: Engine) -> Watched:
    return Watched(engine.fast())


@pytest.fixture
def citizens(port: Watched, tables: Tables) -> Citizens:
    return Citizens(port, tables["Citizens"])


def admit(citizens: Citizens, about: Subject | None, after: timedelta = timedelta(), limits: Limits = LIMITS) -> None:
    citizens.admit(SUB, PHONE, "en", about, limits, NOON + after)


class TestLookUps:
    def test_keeps_phone_and_language_and_tells_of_them(self, citizens: Citizens) -> None:
        admission = citizens.admit(SUB, PHONE, "ckb", subject(1), LIMITS, NOON)
        assert admission.profile == Profile(PHONE, "ckb") == citizens.profile(SUB)
        assert not admission.linked
        assert not admission.proof

    def test_a_chosen_language_stays(self, citizens: Citizens) -> None:
        citizens.choose(SUB, PHONE, "ckb", None)
        assert citizens.admit(SUB, PHONE, "en", subject(1), LIMITS, NOON).profile.language == "ckb"
        assert citizens.seen_in_person(SUB, PHONE, "ar").language == "ckb"

    def test_queries_are_used_up_exactly(self, citizens: Citizens) -> None:
        for _ in range(5):
            admit(citizens, subject(1))
        with pytest.raises(QuotaError) as refused:
            admit(citizens, subject(1))
        assert refused.value.quota == "queries"

    def test_plates_are_used_up_exactly_and_known_ones_go_on(self, citizens: Citizens) -> None:
        admit(citizens, subject(1))
        admit(citizens, subject(2))
        with pytest.raises(QuotaError) as refused:
            admit(citizens, subject(3))
        assert refused.value.quota == "plates"
        admit(citizens, subject(1))

    def test_what_is_refused_is_not_counted(self, citizens: Citizens) -> None:
        admit(citizens, subject(1))
        admit(citizens, subject(2))
        for _ in range(3):
            with pytest.raises(QuotaError):
                admit(citizens, subject(3))
        for _ in range(3):
            admit(citizens, subject(1))
        with pytest.raises(QuotaError):
            admit(citizens, subject(1))

    def test_texts_that_cannot_be_read_have_a_quota_of_their_own(self, citizens: Citizens) -> None:
        for _ in range(3):
            admit(citizens, None)
        for number in (1, 2, 1, 2, 1):
            admit(citizens, subject(number))
        admit(citizens, None)
        with pytest.raises(QuotaError) as refused:
            admit(citizens, None)
        assert refused.value.quota == "unreadable"
        with pytest.raises(QuotaError) as refused:
            admit(citizens, subject(1))
        assert refused.value.quota == "queries"

    def test_a_day_that_began_without_a_count_has_it_from_its_first_on(
        self, citizens: Citizens, port: Watched, tables: Tables
    ) -> None:
        """As an earlier version counted it."""
        admit(citizens, subject(1))
        key = {"pk": {"S": SUB}, "sk": {"S": "PROFILE"}}
        without = {"TableName": tables["Citizens"], "Key": key, "UpdateExpression": "REMOVE unreadable"}
        port("dynamodb", "UpdateItem", without)
        for _ in range(4):
            admit(citizens, None)
        with pytest.raises(QuotaError):
            admit(citizens, None)

    def test_two_hundred_a_day_unless_told_otherwise(self) -> None:
        assert Limits().unreadable == 200

    def test_a_day_ends_at_midnight_in_baghdad(self, citizens: Citizens) -> None:
        for number in (1, 2):
            admit(citizens, subject(number))
        with pytest.raises(QuotaError):
            admit(citizens, subject(3), MIDNIGHT - timedelta(seconds=1))
        admit(citizens, subject(3), MIDNIGHT)
        admit(citizens, subject(4), MIDNIGHT)
        with pytest.raises(QuotaError):
            admit(citizens, subject(1), MIDNIGHT)

    def test_a_day_that_begins_with_an_unreadable_text_forgets_the_plates(self, citizens: Citizens) -> None:
        for number in (1, 2):
            admit(citizens, subject(number))
        admit(citizens, None, MIDNIGHT)
        for number in (3, 4):
            admit(citizens, subject(number), MIDNIGHT)

    def test_a_clock_that_is_behind_counts_on_the_day_that_has_begun(self, citizens: Citizens) -> None:
        for number in (1, 2):
            admit(citizens, subject(number), MIDNIGHT)
        with pytest.raises(QuotaError):
            admit(citizens, subject(3), MIDNIGHT - timedelta(seconds=1))

    def test_linked_plates_do_not_count_as_plates(self, citizens: Citizens) -> None:
        citizens.link(SUB, vehicle(7, proven=True), NOON, LIMITS)
        for number in (1, 2):
            admit(citizens, subject(number))
        admission = citizens.admit(SUB, PHONE, "en", subject(7), LIMITS, NOON)
        assert admission.linked
        assert admission.proof
        citizens.unlink(SUB, "v7", "OLD#11#7", proven=True)
        with pytest.raises(QuotaError):
            admit(citizens, subject(7))

    def test_other_citizens_have_their_own(self, citizens: Citizens) -> None:
        for _ in range(5):
            admit(citizens, subject(1))
        citizens.admit("another", PHONE, "en", subject(1), LIMITS, NOON)

    def test_many_at_once_are_no_more_than_many_in_a_row(self, engine: Engine, tables: Tables) -> None:
        stores = [Citizens(engine.fast(), tables["Citizens"]) for _ in range(8)]

        def one(pair: tuple[int, Citizens]) -> str:
            try:
                admit(pair[1], subject(pair[0]), limits=Limits(queries=50, plates=3))
            except QuotaError as error:
                return error.quota
            return "admitted"

        with ThreadPoolExecutor(len(stores)) as threads:
            outcomes = list(threads.map(one, enumerate(stores)))
        assert outcomes.count("admitted") == 3
        assert outcomes.count("plates") == 5

    def test_costs_one_call_and_a_second_where_the_day_is_new_the_plate_the_last_or_linked(
        self, citizens: Citizens, port: Watched
    ) -> None:
        for number, calls in ((1, 2), (2, 1), (2, 1), (3, 2), (3, 1)):
            port.operations.clear()
            admit(citizens, subject(number), limits=Limits(queries=50, plates=3))
            assert port.operations == ["UpdateItem"] * calls
        citizens.link(SUB, vehicle(7), NOON, LIMITS)
        port.operations.clear()
        admit(citizens, subject(7), limits=Limits(queries=50, plates=3))
        assert port.operations == ["UpdateItem"] * 2

    def test_days_on_end_of_used_up_plates_are_counted_with_the_last_plate(self, citizens: Citizens) -> None:
        def day(number: int, *plates: int, most: int = 2) -> list[int]:
            limits, at = Limits(queries=50, plates=most), NOON + timedelta(days=number)
            return [citizens.admit(SUB, PHONE, "en", subject(plate), limits, at).full_days for plate in plates]

        assert day(0, 1, 2, 2, 1) == [0, 1, 0, 0]
        assert day(1, 3, 4) == [0, 2]
        assert day(1, 5, most=3) == [2]
        assert day(2, 6, 7) == [0, 3]
        assert day(3, 8) == [0]
        assert day(4, 1, 2) == [0, 1]
        assert day(5, 3, most=1) == [2]

    def test_one_plate_a_day_is_used_up_by_a_citizens_first(self, citizens: Citizens) -> None:
        limits = Limits(queries=50, plates=1)
        assert citizens.admit(SUB, PHONE, "en", None, limits, NOON).full_days == 0
        assert citizens.admit(SUB, PHONE, "en", subject(1), limits, NOON).full_days == 1
        assert citizens.admit("another", PHONE, "en", subject(1), limits, NOON).full_days == 1

    def test_plates_are_kept_as_fingerprints_only(self, citizens: Citizens, tables: Tables) -> None:
        citizens.admit(SUB, PHONE, "en", Subject(OTHER_PLATE.key, "mark"), LIMITS, NOON)
        assert OTHER_PLATE.key not in str(tables.items("Citizens"))


class TestLinks:
    def test_links_of_a_day_are_used_up_exactly(self, citizens: Citizens) -> None:
        for number in (1, 2):
            assert citizens.link(SUB, vehicle(number), NOON, LIMITS) is None
        with pytest.raises(QuotaError) as refused:
            citizens.link(SUB, vehicle(3), NOON, LIMITS)
        assert refused.value.quota == "links"
        assert citizens.link(SUB, vehicle(3), NOON + MIDNIGHT, LIMITS) is None

    def test_ending_a_link_gives_none_back_for_the_day(self, citizens: Citizens) -> None:
        for number in (1, 2):
            citizens.link(SUB, vehicle(number), NOON, LIMITS)
        assert citizens.unlink(SUB, "v1", "OLD#11#1", proven=False)
        with pytest.raises(QuotaError):
            citizens.link(SUB, vehicle(3), NOON, LIMITS)

    def test_vehicles_in_all_are_limited(self, citizens: Citizens) -> None:
        limits = Limits(links=5, vehicles=2)
        for number in (1, 2):
            citizens.link(SUB, vehicle(number), NOON, limits)
        with pytest.raises(QuotaError) as refused:
            citizens.link(SUB, vehicle(3), NOON, limits)
        assert refused.value.quota == "vehicles"
        citizens.unlink(SUB, "v1", "OLD#11#1", proven=False)
        assert citizens.link(SUB, vehicle(3), NOON, limits) is None

    def test_linking_again_counts_nothing_even_when_used_up(self, citizens: Citizens) -> None:
        for number in (1, 2):
            citizens.link(SUB, vehicle(number), NOON, LIMITS)
        assert citizens.link(SUB, vehicle(1), NOON, LIMITS) == vehicle(1)

    def test_what_is_refused_leaves_nothing(self, citizens: Citizens) -> None:
        for number in (1, 2):
            citizens.link(SUB, vehicle(number), NOON, LIMITS)
        with pytest.raises(QuotaError):
            citizens.link(SUB, vehicle(3), NOON, LIMITS)
        assert [each.vehicle_id for each in citizens.vehicles(SUB)] == ["v1", "v2"]
        assert follower(citizens, "OLD#11#3") is None

    def test_links_and_look_ups_count_apart(self, citizens: Citizens) -> None:
        citizens.link(SUB, vehicle(1), NOON, LIMITS)
        for _ in range(5):
            admit(citizens, subject(5))
        assert citizens.link(SUB, vehicle(2), NOON, LIMITS) is None


class TestFollowersOfAPlate:
    """So many without proof; who proves the vehicle theirs always enters and takes no room."""

    LIMITS = Limits(followers=2)
    PLATE = "OLD#11#1"

    def link(self, citizens: Citizens, sub: str, *, proven: bool = False) -> Vehicle | None:
        return citizens.link(sub, vehicle(1, proven=proven), NOON, self.LIMITS)

    def full(self, citizens: Citizens) -> None:
        for sub in ("a", "b"):
            assert self.link(citizens, sub) is None

    def test_the_next_is_refused_and_leaves_nothing(self, citizens: Citizens) -> None:
        self.full(citizens)
        with pytest.raises(FollowersFullError):
            self.link(citizens, "c")
        assert citizens.vehicles("c") == []
        assert [each.sub for each in citizens.followers(self.PLATE)] == ["a", "b"]

    def test_who_proves_it_enters_and_takes_no_room(self, citizens: Citizens) -> None:
        assert self.link(citizens, "owner", proven=True) is None
        self.full(citizens)
        assert self.link(citizens, "second owner", proven=True) is None
        citizens.unlink("owner", "v1", self.PLATE, proven=True)
        with pytest.raises(FollowersFullError):
            self.link(citizens, "c")

    def test_one_who_is_there_is_there(self, citizens: Citizens) -> None:
        self.full(citizens)
        assert self.link(citizens, "a") == vehicle(1)

    def test_another_plate_has_room(self, citizens: Citizens) -> None:
        self.full(citizens)
        assert citizens.link("c", vehicle(2), NOON, self.LIMITS) is None

    def test_who_ends_it_gives_the_room_back_once(self, citizens: Citizens) -> None:
        self.full(citizens)
        for _ in range(2):
            citizens.unlink("a", "v1", self.PLATE, proven=False)
        assert self.link(citizens, "c") is None
        with pytest.raises(FollowersFullError):
            self.link(citizens, "d")

    def test_who_proves_it_later_gives_the_room_back_once(self, citizens: Citizens) -> None:
        self.full(citizens)
        for _ in range(2):
            citizens.change("a", vehicle(1), vehicle(1, proven=True))
        assert self.link(citizens, "c") is None
        with pytest.raises(FollowersFullError):
            self.link(citizens, "d")

    def test_a_proof_that_is_not_known_yet_where_it_ends_ends_nothing(self, citizens: Citizens) -> None:
        self.link(citizens, "a")
        citizens.change("a", vehicle(1), vehicle(1, proven=True))
        assert not citizens.unlink("a", "v1", self.PLATE, proven=False)
        assert citizens.unlink("a", "v1", self.PLATE, proven=True)
        self.full(citizens)

    def test_a_used_up_day_is_told_before_a_full_plate(self, citizens: Citizens) -> None:
        self.full(citizens)
        limits = self.LIMITS._replace(links=1)
        citizens.link("c", vehicle(2), NOON, limits)
        with pytest.raises(QuotaError):
            citizens.link("c", vehicle(1), NOON, limits)

    def test_of_many_at_once_no_more_enter(self, engine: Engine, tables: Tables) -> None:
        stores = [Citizens(engine.fast(), tables["Citizens"]) for _ in range(8)]  # a client is not for several threads

        def enters(number: int) -> bool:
            try:
                return self.link(stores[number], f"sub-{number}") is None
            except FollowersFullError:
                return False

        with ThreadPoolExecutor(len(stores)) as threads:
            assert list(threads.map(enters, range(8))).count(True) == 2


class TestProofs:
    """Tries at registration numbers, on all plates, and what would keep a right one from being linked."""

    LIMITS = Limits(proofs=3, links=2, vehicles=2)

    def count(self, citizens: Citizens, number: int = 1, after: timedelta = timedelta()) -> None:
        citizens.count_proof(SUB, PHONE, "en", f"OLD#11#{number}", self.LIMITS, NOON + after)

    def refused(self, citizens: Citizens, number: int = 1) -> str:
        with pytest.raises(QuotaError) as refused:
            self.count(citizens, number)
        return refused.value.quota

    def test_are_counted_by_the_day_over_all_plates(self, citizens: Citizens) -> None:
        for number in (1, 2, 1):
            self.count(citizens, number)
        assert self.refused(citizens, 3) == "proofs"
        self.count(citizens, 3, MIDNIGHT)

    @pytest.mark.parametrize(("days", "quota"), [(1, "vehicles"), (0, "links")])
    def test_are_refused_where_nothing_more_can_be_linked(self, citizens: Citizens, days: int, quota: str) -> None:
        limits = self.LIMITS._replace(vehicles=2 if days else 9)
        for number in (1, 2):
            citizens.link(SUB, vehicle(number), NOON - timedelta(days=days), limits)
        with pytest.raises(QuotaError) as refused:
            citizens.count_proof(SUB, PHONE, "en", "OLD#11#3", limits, NOON)
        assert refused.value.quota == quota
        citizens.count_proof(SUB, PHONE, "en", "OLD#11#1", limits, NOON)  # a link that is there may be proved

    def test_of_many_at_once_no_more_are_counted(self, engine: Engine, tables: Tables) -> None:
        stores = [Citizens(engine.fast(), tables["Citizens"]) for _ in range(8)]  # a client is not for several threads

        def counted(number: int) -> bool:
            try:
                self.count(stores[number], number)
            except QuotaError:
                return False
            return True

        with ThreadPoolExecutor(len(stores)) as threads:
            assert list(threads.map(counted, range(8))).count(True) == 3

    def test_so_many_wait_for_their_card(self, citizens: Citizens) -> None:
        limits = Limits(pending=1)
        waiting = [vehicle(number)._replace(pending_at="now") for number in (1, 2)]
        assert citizens.link(SUB, waiting[0], NOON, limits) is None
        with pytest.raises(QuotaError) as refused:
            citizens.link(SUB, waiting[1], NOON, limits)
        assert refused.value.quota == "pending"
        citizens.link(SUB, vehicle(2), NOON, limits)
        assert not citizens.change(SUB, vehicle(2), waiting[1], most_pending=1)
        assert citizens.unlink(SUB, "v1", "OLD#11#1", proven=False)
        assert citizens.change(SUB, vehicle(2), waiting[1], most_pending=1)


class TestVehicles:
    def test_a_change_is_made_in_both_places(self, citizens: Citizens) -> None:
        citizens.link(SUB, vehicle(1), NOON)
        changed = vehicle(1)._replace(relation="family", notify=False, proven=True)
        assert citizens.change(SUB, vehicle(1), changed)
        assert citizens.vehicle(SUB, "v1") == changed
        kept = follower(citizens, "OLD#11#1")
        assert kept is not None
        assert (kept.relation, kept.notify, kept.proven) == ("family", False, True)
        assert citizens.admit(SUB, PHONE, "en", subject(1), LIMITS, NOON).proof

    def test_changes_from_two_sides_undo_nothing_of_one_another(self, citizens: Citizens) -> None:
        read = vehicle(1)
        citizens.link(SUB, read, NOON)
        assert citizens.change(SUB, read, read._replace(proven=True))
        assert citizens.change(SUB, read, read._replace(notify=False))
        assert citizens.vehicle(SUB, "v1") == read._replace(proven=True, notify=False)

    def test_ending_a_link_ends_it_everywhere_once(self, citizens: Citizens) -> None:
        citizens.link(SUB, vehicle(1, proven=True), NOON)
        assert citizens.unlink(SUB, "v1", "OLD#11#1", proven=True)
        assert citizens.vehicle(SUB, "v1") is None
        assert citizens.vehicles(SUB) == []
        assert list(citizens.followers("OLD#11#1")) == []
        assert not citizens.admit(SUB, PHONE, "en", subject(1), LIMITS, NOON).linked
        assert not citizens.unlink(SUB, "v1", "OLD#11#1", proven=True)
        assert not citizens.change(SUB, vehicle(1), vehicle(1, proven=True))

    def test_a_vehicle_is_its_citizens_alone(self, citizens: Citizens) -> None:
        citizens.link(SUB, vehicle(1), NOON)
        assert citizens.vehicle("another", "v1") is None
        assert citizens.vehicles("another") == []
