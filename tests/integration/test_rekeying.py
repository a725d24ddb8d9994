"""Another version of the key of fingerprints: what was kept is found under every one, and the registry is taken on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator import registering
from infra.operator.deployment import Deployment
from infra.operator.registering import KNOWN_AFTER, RekeyingError
from shared.access.accesses import Accesses
from shared.access.grant import Access
from shared.aws_json import Call, Json
from shared.domain.citizen import Vehicle
from shared.domain.time import to_text
from shared.plate_crypto import PlateCrypto
from shared.stores.items import transact
from shared.stores.people.citizens import Citizens
from shared.stores.registry import Registry, Rekeying
from shared.stores.versioned import INSERTED, STALE, UNCHANGED, UPDATED
from tests.support.aws import Engine, Tables
from tests.support.build import NOON, OTHER_PLATE, PLATE, SUB, registration

ONE, TWO, THREE = b"the first", b"the second", b"the third"


class TestFingerprints:
    def test_a_plain_secret_is_the_first_version(self) -> None:
        plain, listed = PlateCrypto.from_text("k"), PlateCrypto.from_text('{"keys": ["k"], "registry": [1, 1]}')
        assert plain.plate_fingerprint("p") == listed.plate_fingerprint("p") == PlateCrypto(b"k").plate_fingerprint("p")
        assert plain.registry_mark("p") == plain.plate_fingerprint("p")

    def test_what_is_kept_names_its_version_and_is_found_under_each(self) -> None:
        before, after = PlateCrypto(ONE), PlateCrypto(ONE, TWO)
        assert after.plate_fingerprints("p") == [before.plate_fingerprint("p"), after.plate_fingerprint("p")]
        assert after.citizen_fingerprints("s") == [before.citizen_fingerprint("s"), after.citizen_fingerprint("s")]
        assert after.plate_fingerprint("p").startswith("2.")
        assert "#" not in after.plate_fingerprint("p")

    def test_what_the_registry_keeps_is_brought_on_without_knowing_it(self) -> None:
        first, third = PlateCrypto(ONE), PlateCrypto(ONE, TWO, THREE, registry=(1, 3))
        second = PlateCrypto(ONE, TWO, registry=(1, 2))
        for kept in (first, second, third):
            assert third.wrap(kept.registration_fingerprint("p", "1")) == third.registration_fingerprint("p", "1")
            assert third.wrap(kept.registry_mark("p")) == third.registry_mark("p")
            assert kept.registry_mark("p") in third.registry_marks("p")
        assert third.registration_fingerprint("p", "1") != third.registration_fingerprint("p", "2")

    def test_it_is_written_as_every_run_can_read_it(self) -> None:
        told = PlateCrypto(ONE, TWO, registry=(1, 1))
        assert told.registration_fingerprint("p", "1") == PlateCrypto(ONE).registration_fingerprint("p", "1")
        assert told.registry_mark("p") == PlateCrypto(ONE).registry_mark("p")
        assert len(told.registry_marks("p")) == 2
        assert PlateCrypto(ONE, TWO, registry=(2, 2)).registry_marks("p") == [told.wrap(told.registry_mark("p"))]

    def test_a_sealed_plate_opens_under_any_later_key(self) -> None:
        sealed = PlateCrypto(ONE).seal_plate(PLATE.key)
        assert PlateCrypto(ONE, TWO).open_plate(sealed) == PLATE.key
        with pytest.raises(ValueError, match="another key"):
            PlateCrypto(TWO).open_plate(sealed)


class _Secrets:
    """Secrets Manager's one secret, whose versions are made when the clock says."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self.put_secret_value(SecretId="", SecretString=ONE.decode())

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:  # noqa: N803 (boto3's words)
        self.value = {
            "SecretString": SecretString,
            "CreatedDate": self._clock(),
            "VersionId": f"version-{next(self._numbers)}",
        }

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803
        return self.value


class Stand(Deployment):
    """A stack of two tables and the secret, whose operators leave no log."""

    def __init__(self, call: Call, tables: Tables) -> None:
        self.at = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.secrets = _Secrets(lambda: self.at)
        super().__init__("stand", lambda _: self.secrets, clock=lambda: self.at)
        self.call = call  # type: ignore[assignment]
        self.physical = {"Registry": tables["Registry"], "PlateKeySecret": "key"}  # type: ignore[assignment]

    @contextmanager
    def audited(self, action: str, **about: object) -> Iterator[dict[str, object]]:
        yield {}

    @property
    def crypto(self) -> PlateCrypto:
        return PlateCrypto.from_text(self.secrets.value["SecretString"])

    def rekey(self) -> None:
        """As the command does."""
        key = registering.begin(self, registering.read_key(self))
        registering.walk(self, key, {})
        registering.end(self, key)


@pytest.fixture
def stand(engine: Engine, tables: Tables) -> Stand:
    return Stand(engine.sdk(), tables)


def registry_of(stand: Stand, crypto: PlateCrypto | None = None) -> Registry:
    return Registry(stand.call, stand.physical["Registry"], crypto or stand.crypto, sleep=lambda _: None)


def proves(stand: Stand, number: str, crypto: PlateCrypto | None = None) -> bool:
    return registry_of(stand, crypto).prove(PLATE.key, None, number)[0].right


def forms(tables: Tables) -> set[str]:
    """The versions in which marks, numbers and former numbers stand."""
    found = set()
    for item in tables.items("Registry"):
        if "number" in item:
            found |= {
                text.rpartition(".")[0]
                for text in [item["pk"]["S"], item["number"]["S"], *item.get("replaced", {"SS": []})["SS"]]
            }
    return found


class TestWalk:
    def test_it_takes_a_day_and_a_day_and_nothing_is_lost(self, stand: Stand, tables: Tables) -> None:
        registry_of(stand).write([registration("A1111"), registration("B2222", OTHER_PLATE)])
        registry_of(stand).write([registration("C3333", at="2026-11-02")])
        transact(stand.call, [registry_of(stand).wait_action("DE#11#ب#5", SUB, "number", NOON)])
        registering.add_version(stand, registering.read_key(stand))
        assert proves(stand, "C3333")
        with pytest.raises(RekeyingError, match="before 2026-11-21"):
            stand.rekey()
        registry_of(stand).write([registration("D4444", at="2026-11-03")])
        assert forms(tables) == {""}
        stand.at += KNOWN_AFTER
        stand.rekey()
        assert forms(tables) == {"2"}
        assert proves(stand, "D4444")
        assert not proves(stand, "C3333")
        assert registering.read_key(stand).oldest == 1
        with pytest.raises(RekeyingError, match="not of the newest version"):
            registering.add_version(stand, registering.read_key(stand))
        stand.at += KNOWN_AFTER
        stand.rekey()
        assert registering.read_key(stand).is_whole
        assert proves(stand, "D4444")
        registering.add_version(stand, registering.read_key(stand))
        stand.at += KNOWN_AFTER
        stand.rekey()
        assert forms(tables) == {"3"}
        assert proves(stand, "D4444")

    def test_a_former_number_is_known_again(self, stand: Stand) -> None:
        registry_of(stand).write([registration("A1111")])
        registry_of(stand).write([registration("B2222", at="2026-11-02")])
        registering.add_version(stand, registering.read_key(stand))
        stand.at += KNOWN_AFTER
        stand.rekey()
        (outcome,) = registry_of(stand).write([registration("A1111", at="2026-11-03")])
        assert outcome == STALE  # an undated row brings nothing back
        assert proves(stand, "B2222")

    def test_what_an_older_run_still_writes_is_found_by_all_and_taken_on_in_the_end(
        self, stand: Stand, tables: Tables
    ) -> None:
        registry_of(stand).write([registration("A1111")])
        registering.add_version(stand, registering.read_key(stand))
        older = stand.crypto
        stand.at += KNOWN_AFTER
        stand.rekey()
        assert registry_of(stand, older).write([registration("B2222", at="2026-11-02")]) == [UPDATED]
        assert registry_of(stand, older).write([registration("X9999", OTHER_PLATE)]) == [INSERTED]
        for crypto in (older, stand.crypto):
            assert proves(stand, "B2222", crypto)
            assert registry_of(stand, crypto).write([registration("X9999", OTHER_PLATE, at="2026-11-09")]) == [
                UNCHANGED
            ]
        stand.at += KNOWN_AFTER
        stand.rekey()
        assert forms(tables) == {"2"}
        assert proves(stand, "B2222")

    def test_of_two_forms_the_newer_stays(self, stand: Stand, tables: Tables) -> None:
        both = PlateCrypto(ONE, TWO, registry=(1, 2))
        for first, second in (
            (PlateCrypto(ONE), PlateCrypto(ONE, TWO, registry=(2, 2))),
            (PlateCrypto(ONE, TWO, registry=(2, 2)), PlateCrypto(ONE)),
        ):
            registry_of(stand, first).write([registration("A1111")])
            registry_of(stand, second).write([registration("B2222", at="2026-11-02")])
            assert proves(stand, "B2222", both)
            for _ in Rekeying(stand.call, tables["Registry"], both, f"{first}").walk(0, 1):
                pass
            assert forms(tables) == {"2"}
            assert proves(stand, "B2222", both)
            for item in tables.items("Registry"):
                stand.call(
                    "dynamodb",
                    "DeleteItem",
                    {"TableName": tables["Registry"], "Key": {n: item[n] for n in ("pk", "sk")}},
                )

    def test_files_load_and_proofs_hold_between_any_two_calls(self, stand: Stand, tables: Tables) -> None:
        registry_of(stand).write([registration("A1111")])
        registry_of(stand).write([registration("X9999", OTHER_PLATE)])
        crypto, plain = PlateCrypto(ONE, TWO, registry=(1, 2)), stand.call
        days = iter(range(2, 30))
        newest = ["A1111"]

        def meanwhile(service: str, operation: str, request: Json) -> Json:
            assert proves(stand, newest[-1], crypto)
            if (day := next(days, None)) and len(newest) < 6:
                newest.append(f"N{day}")
                assert registry_of(stand, crypto).write([registration(newest[-1], at=f"2026-11-{day:02}")]) == [UPDATED]
            return plain(service, operation, request)

        for _ in Rekeying(meanwhile, tables["Registry"], crypto, "pass").walk(0, 1):
            pass
        assert forms(tables) == {"2"}
        assert len(newest) == 6
        assert proves(stand, newest[-1], crypto)
        assert not proves(stand, newest[-2], crypto)

    def test_a_pass_goes_on_where_it_was_broken_off(self, stand: Stand, tables: Tables) -> None:
        for start in range(0, 300, 100):
            rows = [registration("A1111", PLATE._replace(number=str(n + 1))) for n in range(start, start + 100)]
            registry_of(stand).write(rows)
        crypto = PlateCrypto(ONE, TWO, registry=(1, 2))
        scans: list[Json] = []

        def in_pages(service: str, operation: str, request: Json) -> Json:
            if operation == "Scan":
                scans.append(request)
                request = {**request, "Limit": 100}
            return stand.call(service, operation, request)

        walk = Rekeying(in_pages, tables["Registry"], crypto, "pass").walk(0, 1)
        next(walk)
        walk.close()
        for _ in Rekeying(in_pages, tables["Registry"], crypto, "pass").walk(0, 1):
            pass
        assert "ExclusiveStartKey" in scans[1]
        assert [*Rekeying(in_pages, tables["Registry"], crypto, "pass").walk(0, 1)] == []
        assert proves(stand, "A1111", crypto) is False
        assert registry_of(stand, crypto).prove(PLATE._replace(number="7").key, None, "A1111")[0].right


def test_the_commands_say_how_it_stands_and_when_to_come_again(
    stand: Stand, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "Deployment", lambda stack, clock: stand)

    def command(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(commands.app, ["--stack", "stand", *words])
        assert result.exit_code == code, result.output
        return result.output

    registry_of(stand).write([registration("A1111")])
    assert "nothing was done" in command("add-plate-key")
    assert registering.read_key(stand).is_whole
    assert "2 versions" in command("add-plate-key", "--apply")
    assert "may not know" in command("rekey-registry", "--apply", code=1)
    stand.at += KNOWN_AFTER
    assert "nothing was done" in command("rekey-registry")
    assert "1 moved\n" in (said := command("rekey-registry", "--apply"))
    assert "give it again from 2026-11-22" in said
    stand.at += KNOWN_AFTER
    assert "0 moved\n" in command("rekey-registry", "--apply")
    assert "looked for from version 2 on" in (said := command("rekey-registry"))
    assert "nothing is left" in said
    assert proves(stand, "A1111")


def test_a_proof_lives_through_a_change_of_the_key(stand: Stand, tables: Tables) -> None:
    registry = registry_of(stand)
    registry.write([registration("A1111")])
    card = registry.prove(PLATE.key, None, "A1111")[1]
    vehicle = Vehicle("v", PLATE.key, None, "self", notify=True, proven=True, card=card, proved_at=to_text(NOON))
    Citizens(stand.call, tables["Citizens"]).link(SUB, vehicle, NOON)

    def access() -> Access:
        accesses = Accesses(stand.call, tables["Citizens"], tables["Registry"], stand.crypto, needs_proof=False)
        return accesses.access(SUB, PLATE.key, NOON).access

    registering.add_version(stand, registering.read_key(stand))
    assert access() is Access.PROVEN
    for _ in range(2):
        stand.at += KNOWN_AFTER
        stand.rekey()
        assert access() is Access.PROVEN
    registry_of(stand).write([registration("B2222", at="2026-11-02")])
    assert access() is Access.LINKED


def test_the_secret_says_what_it_is(stand: Stand) -> None:
    registering.add_version(stand, registering.read_key(stand))
    said = json.loads(stand.secrets.value["SecretString"])
    assert said["keys"][0] == ONE.decode()
    assert said["registry"] == [1, 1]
    assert len(said["keys"][1]) >= 64
    assert [*registering.told(registering.read_key(stand))] == [
        "the key has 2 versions",
        "the registry is written in version 1, and looked for from version 1 on",
    ]
    assert timedelta() < KNOWN_AFTER
