"""The generator of directorate files: the same bytes for the same arguments, in the shape of the announcement."""

import csv
import gzip
import hashlib
import itertools
import re
import tracemalloc
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from infra.local.demo import files as demo

SAMPLE = list(demo.rows(20_000, 7))

GOVERNORATES = {str(code) for code in range(11, 30)}
REGION = {"21", "22", "23", "24"}
# What a plate of each family may look like: governorates, letter, number.
PLATES = {
    "german": (GOVERNORATES, r"[ابجدرسطفكمنهىقلوز]", r"[1-9]\d{0,5}"),
    "old": (GOVERNORATES - REGION, r"", r"[1-9]\d{0,6}"),
    "kurdistan": (REGION, r"", r"[1-9]\d{0,6}"),
    "unified": (GOVERNORATES, r"[A-Z]", r"[1-9]\d{0,4}"),
}


def plate(row: dict[str, str]) -> tuple[str, str, str, str]:
    return row["plate_family"], row["plate_governorate"], row["plate_letter"], row["plate_number"]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_never_changes(tmp_path: Path) -> None:
    demo.write(tmp_path / "a.csv", 500, 42, bad_per_mille=20)
    assert sha256(tmp_path / "a.csv") == "ab94e103738d38e8b9b5565a3a219fe1564b9b84949b693c10aa1e55d828336c"


def test_a_live_file_never_changes(tmp_path: Path) -> None:
    demo.write(tmp_path / "a.csv", 200, 3, live=True, until=date(2026, 3, 1))
    assert sha256(tmp_path / "a.csv") == "740520f0a096b2dcaee46b1b82ffc65a8b9b959c342c395bc8389eb4a4c1ab6b"


def test_gzip_holds_the_same_text_whatever_the_name_and_time(tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.gz", "b.csv.gz"):
        demo.write(tmp_path / name, 300)
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == (tmp_path / "a.csv").read_bytes()
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert (tmp_path / "a.csv.gz").read_bytes()[3:8] == bytes(5)  # flags (no name), time (none)


def test_the_file_reads_back_as_the_rows(tmp_path: Path) -> None:
    demo.write(tmp_path / "a.csv", 1_000, bad_per_mille=50)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == list(demo.rows(1_000, bad_per_mille=50))


def test_the_national_file_has_the_announced_counts() -> None:
    counts = demo.family_counts(4_402_119)
    assert counts["german"] == 2_408_444
    assert sum(counts.values()) == 4_402_119


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 199, 20_000])
def test_every_count_is_met_exactly(count: int) -> None:
    counts = demo.family_counts(count)
    assert sum(counts.values()) == count
    assert Counter(row["plate_family"] for row in demo.rows(count)) == Counter(counts)


def test_any_part_of_the_file_has_the_proportions_of_the_whole() -> None:
    for part in (SAMPLE[:5_000], SAMPLE[-5_000:]):
        shares = Counter(row["plate_family"] for row in part)
        for family, count in demo.NATIONAL.items():
            assert shares[family] / 5_000 == pytest.approx(count / demo.NATIONAL_TOTAL, abs=0.03)


def test_every_governorate_category_status_and_offence_occurs() -> None:
    assert {row["plate_governorate"] for row in SAMPLE} == GOVERNORATES
    assert {row["plate_category"] for row in SAMPLE} == {
        *("private", "hire", "cargo", "government", "agricultural", "construction", "motorcycle", "temporary", "other"),
        "",
    }
    assert {row["status"] for row in SAMPLE} == {"open", "paid", "cancelled", "disputed"}
    assert {(row["legal_ref"][:4], row["amount"]) for row in SAMPLE} == {
        ("25/1", "200000"),
        ("25/2", "100000"),
        ("25/3", "50000"),
    }
    assert {row["plate_letter"] for row in SAMPLE if row["plate_family"] == "german"} == set("ابجدرسطفكمنهىقلوز")


def test_populous_governorates_have_more() -> None:
    found = Counter(row["plate_governorate"] for row in SAMPLE)
    assert found["11"] > found["12"] > found["13"] > found["23"]


def test_plates_are_valid() -> None:
    for row in SAMPLE:
        governorates, letter, number = PLATES[row["plate_family"]]
        assert row["plate_governorate"] in governorates, row
        assert re.fullmatch(letter, row["plate_letter"]), row
        assert re.fullmatch(number, row["plate_number"], re.ASCII), row


def test_the_tail_is_heavy_and_a_plate_keeps_its_category() -> None:
    sizes = Counter(Counter(plate(row) for row in SAMPLE).values())
    plates = sum(sizes.values())
    assert 0.8 < (sizes[1] + sizes[2] + sizes[3]) / plates < 0.95
    assert sum(count for size, count in sizes.items() if size >= 24) >= 10
    assert 100 < max(sizes) < 500
    assert len({(plate(row), row["plate_category"]) for row in SAMPLE}) == plates


def test_the_largest_fleet_of_the_national_file_has_five_thousand() -> None:
    layers = demo._layers(demo.NATIONAL["german"])
    assert len(layers) == demo.MAX_FLEET_VIOLATIONS
    assert 1 <= layers[-1] <= 5
    assert sum(layers) == demo.NATIONAL["german"]


def test_ranks_of_one_family_never_meet_on_a_plate() -> None:
    for fleet in demo._fleets(5).values():
        assert len({fleet.plate(rank) for rank in range(30_000)}) == 30_000


def test_numbers_are_unique_also_across_seeds_and_origins() -> None:
    files = (demo.rows(2_000, 1), demo.rows(2_000, 2), demo.rows(2_000, 1, live=True))
    numbers = [row["violation_no"] for row in itertools.chain(SAMPLE, *files)]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"\d\d-20\d\d-\d+", number) and len(number) <= 32 for number in numbers)


def test_a_live_file_and_a_backlog_of_one_seed_share_plates() -> None:
    backlog, live = ({plate(row) for row in demo.rows(2_000, 4, live=live)} for live in (False, True))
    assert backlog & live


def test_moments_follow_one_another_over_five_years() -> None:
    until = datetime(2026, 1, 1)  # noqa: DTZ001  Baghdad time, as in the file
    days = [moment(row["occurred_at"]).date() for row in SAMPLE]
    assert days == sorted(days)
    assert days[0] == date(2021, 1, 1)
    assert days[-1] == date(2025, 12, 31)
    for row in SAMPLE:
        occurred, recorded, updated = (moment(row[name]) for name in ("occurred_at", "recorded_at", "updated_at"))
        assert occurred <= recorded <= occurred + timedelta(days=4)
        assert recorded <= updated <= until


def test_only_paid_rows_say_when_and_by_which_receipt() -> None:
    paid = [row for row in SAMPLE if row["status"] == "paid"]
    assert 0.05 < len(paid) / len(SAMPLE) < 0.1
    assert len({row["receipt_no"] for row in paid}) == len(paid)
    assert all(moment(row["recorded_at"]) <= moment(row["paid_at"]) <= moment(row["updated_at"]) for row in paid)
    assert not any(row["receipt_no"] or row["paid_at"] for row in SAMPLE if row["status"] != "paid")


def test_doubled_rows_are_open_and_a_month_old() -> None:
    doubled = [row for row in SAMPLE if row["doubled_at"]]
    assert 0.3 < len(doubled) / len(SAMPLE) < 0.6
    for row in doubled:
        assert row["status"] == "open"
        assert int(row["amount_due"]) == 2 * int(row["amount"])
        waited = moment(row["doubled_at"]) - moment(row["recorded_at"])
        assert timedelta(days=28) < waited <= timedelta(days=32)
        assert row["updated_at"] == row["doubled_at"]
    assert not any(row["amount_due"] for row in SAMPLE if not row["doubled_at"])


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2025, 1, 31), date(2025, 2, 28)),
        (date(2025, 12, 15), date(2026, 1, 15)),
        (date(2025, 8, 31), date(2025, 9, 30)),
    ],
)
def test_a_month_ends_with_the_month(day: date, later: date) -> None:
    assert demo._month_later(day) == later


def test_live_rows_are_open_and_recent() -> None:
    until = date(2026, 3, 1)
    for row in demo.rows(500, live=True, until=until):
        assert row["status"] == "open"
        assert not row["doubled_at"]
        assert until - timedelta(days=3) <= moment(row["occurred_at"]).date() < until
        assert moment(row["updated_at"]).date() <= until


def test_sectors_have_one_name_and_governorate() -> None:
    sectors = {(row["sector_code"], row["sector_name"], row["sector_governorate"]) for row in SAMPLE}
    assert len({code for code, _, _ in sectors}) == len(sectors)
    for code, name, governorate in sectors:
        assert code.startswith(governorate)
        assert name.startswith("قاطع ")
    elsewhere = sum(row["sector_governorate"] != row["plate_governorate"] for row in SAMPLE)
    assert 0.1 < elsewhere / len(SAMPLE) < 0.6


@pytest.mark.parametrize(("count", "per_mille", "bad"), [(200, 10, 2), (1_000, 3, 3), (2_000, 50, 100), (50, 1000, 50)])
def test_bad_rows_are_as_many_as_asked_and_known(count: int, per_mille: int, bad: int) -> None:
    changed = [
        index
        for index, (good, row) in enumerate(
            zip(demo.rows(count), demo.rows(count, bad_per_mille=per_mille), strict=True)
        )
        if good != row
    ]
    assert len(changed) == bad
    assert changed == [index for index in range(count) if demo.fault_at(index, per_mille)]


def test_a_bad_row_differs_from_the_good_one_by_its_fault_alone() -> None:
    good, bad = list(demo.rows(600)), list(demo.rows(600, bad_per_mille=100))
    names = set()
    for index, row in enumerate(bad):
        fault = demo.fault_at(index, 100)
        assert row == {**good[index], **(fault.cells if fault else {})}
        names |= {fault.name} if fault else set()
    assert names == {fault.name for fault in demo.FAULTS}


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            demo.write(tmp_path / "a.csv", count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(30_000) < peak(3_000) + 500_000


@pytest.mark.parametrize("arguments", [{"count": -1}, {"count": 10**8}, {"count": 1, "seed": -1}])
def test_arguments_out_of_bounds_leave_no_file(tmp_path: Path, arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is not in 0 to"):
        demo.write(tmp_path / "a.csv", **arguments)
    assert not (tmp_path / "a.csv").exists()


def test_the_command_writes_the_file_and_says_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "live.csv"
    arguments = ["--rows", "200", "--bad-rows", "10", "--live", "--until", "2026-03-01", "--out", str(target)]
    monkeypatch.setattr("sys.argv", ["demo", *arguments])
    demo.main()
    assert capsys.readouterr().out == f"{target}: 200 rows, 2 of them bad\n"
    with target.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == list(demo.rows(200, bad_per_mille=10, live=True, until=date(2026, 3, 1)))


def test_the_command_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["demo", "--rows", "-5", "--out", "never.csv"])
    with pytest.raises(SystemExit) as ended:
        demo.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "python -m infra.local.demo.files: rows: -5 is not in 0 to 99999999\n"
