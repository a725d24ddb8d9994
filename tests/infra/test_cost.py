"""The yearly bill: the document shows what the script prints, and every assumption can be given another value."""

from __future__ import annotations

from click.testing import CliRunner

from infra import cost
from tests.support.aws import template
from tests.support.documents import Block, blocks, read, section

CAP = "SmsSpendDayCap: SMS of two days, a full thousand"


def bill(*options: str) -> dict[str, int]:
    """Dollars by line."""
    printed = CliRunner().invoke(cost.main, options, catch_exceptions=False).output
    return {line[:50].rstrip(): int(line[50:].replace(",", "")) for line in printed.splitlines()}


def test_the_document_shows_what_the_script_prints() -> None:
    shown = blocks(section(read("docs/measurements.md"), "The yearly bill"))
    printed = CliRunner().invoke(cost.main, [], catch_exceptions=False).output
    assert shown == [Block("", printed)], "docs/measurements.md shows what `make cost` prints"


def test_the_sum_is_the_sum_of_its_lines() -> None:
    lines = bill()
    year, own, sms = lines.pop("a year"), lines.pop("a year, without SMS"), lines.pop("SMS")
    del lines[CAP]
    assert abs(own - sum(lines.values())) <= len(lines) / 2  # each is rounded
    assert abs(year - own - sms) <= 1


def test_the_days_cap_is_what_two_days_cost() -> None:
    lines = bill()
    assert 0 <= lines[CAP] - 2 * lines["SMS"] / 365 < 1000
    parameters = template()["Parameters"]
    assert parameters["SmsSpendDayCap"]["Default"] == lines[CAP]
    assert parameters["SmsSpendHourLimit"]["Default"] == lines[CAP] / 10


def test_an_sms_costs_one_part() -> None:
    price = template()["Parameters"]["SmsPartPrice"]["Default"]
    load = ["--look-ups", "1000", "--answered", "0.5", "--new", "100", "--told", "3", "--payments", "200"]
    assert bill(*load)["SMS"] == (500 + 300 + 200) * price
    assert bill(*load, "--part-price", "1")["SMS"] == 1000


def test_every_assumption_moves_the_bill() -> None:
    for parameter in cost.main.params:
        assert bill(f"--{parameter.name}".replace("_", "-"), "100000000") != bill(), parameter.name
