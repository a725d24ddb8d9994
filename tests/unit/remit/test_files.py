"""The sectors' files: every share is a line of one file, the sums agree, and nothing in them is dangerous."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from remit.files import COLUMNS, SectorFile, files, manifest, name
from shared.domain.payment import Line, Payment, PaymentStatus
from shared.domain.settlement import REVERSED, SETTLED, Entry, Share, paid_twice, reversal, settled

BATCH = "2026-11-20/12"
AT = "2026-11-20T12:00:00+03:00"
LATER = "2026-11-25T09:30:00+03:00"

codes = st.text(min_size=1, max_size=16)
governorates = st.sampled_from(["", "11", "29"])
shares = st.builds(
    Share, st.text("0123456789-/AZ=", min_size=1, max_size=32), st.integers(1, 10**8), codes, governorates
)
entries = st.lists(
    st.builds(
        Entry,
        st.sampled_from([SETTLED, REVERSED]),
        st.uuids().map(str),
        st.just("GH-1"),
        st.just("sandbox"),
        st.just(AT),
        st.sampled_from([AT, LATER]),
        st.lists(shares, min_size=1, max_size=5).map(tuple),
    ),
    max_size=12,
)


def rows(file: SectorFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))


def unmarked(cell: str) -> str:
    return cell.removeprefix("'")


@given(entries)
def test_every_share_is_one_line_of_its_sectors_file(made: list[Entry]) -> None:
    wanted = Counter(
        (name(s.sector_code, s.sector_governorate), e.kind, e.payment_id, s.violation_no, s.amount)
        for e in made
        for s in e.shares
    )
    found = Counter(
        (file.key.split("/")[-1].removesuffix(".csv"), row["entry"], row["payment_id"], unmarked(row["violation_no"]),
         abs(int(row["amount"])))
        for file in files(BATCH, made)
        for row in rows(file)
    )  # fmt: skip
    assert found == wanted


@given(entries)
def test_sums_and_checksums_agree_to_the_dinar(made: list[Entry]) -> None:
    found = files(BATCH, made)
    _, content = manifest(BATCH, found)
    document = json.loads(content)
    for file, told in zip(found, document["files"], strict=True):
        assert sum(int(row["amount"]) for row in rows(file)) == file.amount == told["amount"]
        assert told["sha256"] == sha256(file.content).hexdigest()
        assert told["lines"] == len(rows(file))
        assert told["bytes"] == len(file.content)
    signs = {SETTLED: 1, REVERSED: -1}
    total = sum(signs[e.kind] * s.amount for e in made for s in e.shares)
    assert document["totals"]["amount"] == total == sum(file.amount for file in found)
    assert document["totals"]["settled"] - document["totals"]["reversed"] == total


@given(entries, st.randoms())
def test_the_same_entries_are_the_same_bytes_in_any_order(made: list[Entry], random: Random) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)
    assert files(BATCH, shuffled) == files(BATCH, made)


@given(codes, governorates, codes, governorates)
def test_each_sector_has_a_safe_name_of_its_own(code: str, place: str, other: str, there: str) -> None:
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in name(code, place))
    assert (name(code, place) == name(other, there)) == ((code, place) == (other, there))


def test_a_name_is_readable_where_it_can_be() -> None:
    assert name("BG-01", "11") == "11-BG-01"
    assert name("../7", "") == "00-_2E_2E_2F7"
    assert name("ق", "12") == "12-_D9_82"


def test_a_file_as_a_sector_reads_it() -> None:
    payment = Payment(
        "p1", "ur-1", "sandbox", PaymentStatus.PAID,
        (Line("-12/A", 50_000, "DE#11#ز#739418", "7", "11"),), 50_000, AT, AT, "https://x",
        "+9647719283746", paid_at=AT, receipt_no="GH-1",
    )  # fmt: skip
    asked = paid_twice(payment, "-12/A", LATER)
    (file,) = files(BATCH, [settled(payment), asked, reversal(payment, payment.settled_lines, 1, LATER)])
    assert file.key == "settlements/2026-11-20/12/11-7.csv"
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert file.content.decode("utf-8-sig").splitlines() == [
        ",".join(COLUMNS),
        f"settled,'-12/A,50000,{AT},,GH-1,p1,sandbox,",
        f"paid_twice,'-12/A,0,{AT},,GH-1,p1,sandbox,",
        f"reversed,'-12/A,-50000,{AT},{LATER},GH-1,p1,sandbox,",
    ]
    assert (file.settled, file.reversed, file.amount) == (50_000, 50_000, 0)


def test_an_empty_batch_has_a_manifest() -> None:
    key, content = manifest(BATCH, files(BATCH, []))
    assert key == "settlements/2026-11-20/12/manifest.json"
    assert json.loads(content) == {
        "batch": BATCH,
        "currency": "IQD",
        "totals": {"lines": 0, "settled": 0, "reversed": 0, "amount": 0},
        "files": [],
    }
