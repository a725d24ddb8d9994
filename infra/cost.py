"""`make cost`: US dollars for a year of the country's load.

Units of DynamoDB are measured (infra/consumption.toml); alarms, secrets, keys and queues are those of the template; the
load is an assumption, and each figure can be given on the command line; prices are list prices of us-east-1 for
on-demand use and arm64, and differ by some tens of percent between Regions.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from math import ceil, exp
from pathlib import Path
from typing import Final, NamedTuple

import click

from infra.template import read

TEMPLATE: Final = read()
UNITS: Final = tomllib.loads((Path(__file__).parent / "consumption.toml").read_text(encoding="utf-8"))

PART_PRICE: Final = float(TEMPLATE["Parameters"]["SmsPartPrice"]["Default"])
READ, WRITE = 0.125e-6, 0.625e-6
REQUEST, GB_SECOND = 0.20e-6, 0.0000133334
API_CALL = 1.0e-6
QUEUE_CALL = 0.40e-6
TRACE, TRACED = 5.0e-6, 0.05
"""A trace, and the share of the calls that is traced beside the first of each second.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
"""
SECONDS: Final = 365 * 86_400
TABLE_GB_MONTH, BACKUP_GB_MONTH = 0.25, 0.20
ALARM_MONTH, METRIC_MONTH, LOG_GB = 0.10, 0.30, 0.50
SECRET_MONTH, KEY_MONTH = 0.40, 1.00
FUNCTION_GB: Final = 0.5
LOG_LINE_KB: Final = 1.0
ITEM_BYTES: Final = 700
"""Of a violation with its titles and places in Arabic."""
KEPT_KB: Final = {"violation": 3, "look-up": 0.5, "sms": 1.5, "payment": 6}
"""What is stored of each for a year or longer, with the indexes that hold it."""
LOOK_UPS: Final = 20_000_000
PAYMENTS: Final = 2_000_000
NEW: Final = 3_500_000
"""In a year."""
ANSWERED, TOLD = 0.25, 2.0
"""SMS for each look-up, and for each new violation."""
PAYMENT_CALLS: Final = 6
"""Of the API for each, callbacks and receipts among them."""
POLLS: Final = 5 * 3 * 525_600
"""Calls in a year by which Lambda looks into one queue that is empty: five pollers, each for 20 seconds a call."""


class Item(NamedTuple):
    """One line of the bill: dollars in a year."""

    what: str
    dollars: float


@click.command(help=__doc__)
@click.option("--violations", default=4_402_119, help="recorded when the platform opens")
@click.option("--new", default=NEW, help="new violations in a year")
@click.option("--updates", default=7_000_000, help="rows that change one in a year")
@click.option("--unchanged", default=50_000_000, help="rows of full exports that change nothing in a year")
@click.option("--look-ups", default=LOOK_UPS, help="look-ups in a year")
@click.option("--answered", default=ANSWERED, help="share of the look-ups that are answered by SMS too")
@click.option("--told", default=TOLD, help="SMS about a new violation to its followers, on average")
@click.option("--part-price", default=PART_PRICE, help="dollars for an SMS; the parameter SmsPartPrice")
@click.option("--payments", default=PAYMENTS, help="payments in a year")
@click.option("--metrics", default=40, help="metrics of our own")
def main(
    violations: int,
    new: int,
    updates: int,
    unchanged: int,
    look_ups: int,
    answered: float,
    told: float,
    part_price: float,
    payments: int,
    metrics: int,
) -> None:
    sms = sms_of_a_year(look_ups, answered, new, told, payments)
    kept = {"violation": violations + new / 2, "look-up": look_ups, "sms": sms, "payment": payments / 2}
    gigabytes = sum(number * KEPT_KB[what] for what, number in kept.items()) * 1e-6
    have = Counter(resource["Type"] for resource in TEMPLATE["Resources"].values())
    bill = [
        Item("first load of the backlog, once", violations * _units("row_inserted")),
        Item("new violations and their changes", new * _units("row_inserted") + updates * _units("row_updated")),
        Item("rows that change nothing", unchanged * _units("row_unchanged")),
        Item("look-ups", look_ups * (_units("look_up") + API_CALL + _run(0.06))),
        Item(
            "announcing and sending, without the SMS itself", sms * (_units("announcement") + _units("sms") + _send())
        ),
        Item("payments", payments * (PAYMENT_CALLS * API_CALL + _units("payment") + PAYMENT_CALLS * _run(0.2))),
        Item("every minute's and hour's runs", 4 * 525_600 * (_run(0.3) + 8 * READ)),
        Item("every night's figures", 365 * violations * ITEM_BYTES / 4096 / 2 * READ),
        Item("looking into empty queues", _read_queues() * POLLS * QUEUE_CALL),
        Item("storage, and backups to any second", gigabytes * 12 * (TABLE_GB_MONTH + BACKUP_GB_MONTH)),
        Item("logs", (look_ups + sms * 4 + payments * 10) * LOG_LINE_KB * 1e-6 * LOG_GB),
        Item("traces", sum(traced(calls) for calls in (look_ups, sms, sms, sms, payments * PAYMENT_CALLS)) * TRACE),
        Item("alarms and metrics", (have["AWS::CloudWatch::Alarm"] * ALARM_MONTH + metrics * METRIC_MONTH) * 12),
        Item(
            "secrets and keys",
            (have["AWS::SecretsManager::Secret"] * SECRET_MONTH + have["AWS::KMS::Key"] * KEY_MONTH) * 12,
        ),
    ]
    own = sum(item.dollars for item in bill)
    bill.append(Item("SMS", sms * part_price))
    for item in bill:
        click.echo(f"{item.what:50} {item.dollars:12,.0f}")
    click.echo(f"{'a year, without SMS':50} {own:12,.0f}")
    click.echo(f"{'a year':50} {own + bill[-1].dollars:12,.0f}")
    click.echo(f"{'SmsSpendDayCap: SMS of two days, a full thousand':50} {spend_day_cap(bill[-1].dollars):12,.0f}")


def sms_of_a_year(look_ups: int, answered: float, new: int, told: float, payments: int) -> float:
    """Count the SMS of a load: answers, news and a receipt for each payment."""
    return look_ups * answered + new * told + payments


def sms_of_a_day(part_price: float) -> float:
    """Return the dollars of an average day's SMS, at a price of one."""
    return sms_of_a_year(LOOK_UPS, ANSWERED, NEW, TOLD, PAYMENTS) * part_price / 365


def spend_day_cap(year: float) -> int:
    """Return the dollars of a day that the platform's cap lets pass: twice a day of the year, up to a full thousand."""
    return 1000 * ceil(2 * year / 365 / 1000)


def _read_queues() -> int:
    """How many queues functions read."""
    functions = [one["Properties"] for one in TEMPLATE["Resources"].values() if "Function" in one["Type"]]
    return sum(event["Type"] == "SQS" for one in functions for event in one.get("Events", {}).values())


def traced(calls: float) -> float:
    """Count the calls of a function in a year that are traced: the first of each second, and a share of the others."""
    first = SECONDS * (1 - exp(-calls / SECONDS))
    return first + (calls - first) * TRACED


def _units(operation: str) -> float:
    return float(UNITS[operation]["reads"] * READ + UNITS[operation]["writes"] * WRITE)


def _run(seconds: float) -> float:
    """Dollars of one run of a function."""
    return REQUEST + seconds * FUNCTION_GB * GB_SECOND


def _send() -> float:
    """The functions and queue calls between a message and its SMS."""
    return 3 * _run(0.1) + 3 * QUEUE_CALL


if __name__ == "__main__":
    main()
