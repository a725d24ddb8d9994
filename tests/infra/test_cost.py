"""The yearly bill: the document shows what the script prints, and every assumption can be given another value."""

from __future__ import annotations

from click.testing import CliRunner

from infra import cost
from tests.support.documents import Block, blocks, read, section


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
    assert abs(own - sum(lines.values())) <= len(lines) / 2  # each is rounded
    assert abs(year - own - sms) <= 1


def test_every_assumption_moves_the_bill() -> None:
    for parameter in cost.main.params:
        assert bill(f"--{parameter.name}".replace("_", "-"), "100000000") != bill(), parameter.name
