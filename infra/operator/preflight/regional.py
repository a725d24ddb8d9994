"""Checks of the Region: what it does not offer, and which Regions plates and phones lie in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import boto3
from botocore.exceptions import ClientError

from infra.edge import EDGE
from infra.operator.preflight.account import Account
from infra.operator.preflight.lines import LOOK, OK, STOP, Line
from infra.operator.preflight.settings import Settings
from infra.template import transformed

SENDS: Final = ("sns", "pinpoint-sms-voice-v2")
"""What an SMS goes through: the SDK's own data say in which Regions each is."""


def types(settings: Settings) -> list[str]:
    """The types of what CloudFormation is to make."""
    conditions = settings.holds()
    resources = transformed(settings.parameters, settings.region)["Resources"].values()
    return sorted({one["Type"] for one in resources if conditions.get(one.get("Condition", ""), True)})


def features(account: Account) -> Iterator[Line]:
    """Types that CloudFormation does not know in the Region, by its own word, and services that are not in it."""
    region, known = account.settings.region, types(account.settings)
    missing = [one for one in known if not _is_known(account, one)]
    if missing:
        way_out = "another Region, or leave out what asks for it (template.yaml says by which parameter)"
        yield Line(STOP, "Region", f"{region} has no {', '.join(missing)}", way_out)
    else:
        yield Line(OK, "Region", f"{region} has all {len(known)} types of resources")
    session = boto3.Session()
    absent = [one for one in SENDS if region not in session.get_available_regions(one)]
    if absent:
        way_out = "another Region, or all SMS by Ur's gateway (UrSmsUrl, SmsFirstProvider=ur)"
        yield account.hinders("SMS Region", f"{region} has no {', '.join(absent)}", way_out)
    else:
        yield Line(
            OK, "SMS Region", f"{region} has {' and '.join(SENDS)}; whether it sends to Iraq only a first SMS says"
        )


def _is_known(account: Account, kind: str) -> bool:
    try:
        account.client("cloudformation").describe_type(Type="RESOURCE", TypeName=kind)
    except ClientError as error:
        if error.response["Error"]["Code"] == "TypeNotFoundException":
            return False
        raise
    return True


def where_data_lie(settings: Settings) -> Iterator[str]:
    """Every Region and house in which a plate or a phone lies or passes, a line each."""
    values = settings.parameters
    yield f"{settings.region}: tables, files, logs, messages (plates and phones; the stack's Region)"
    yield f"{settings.region}: SNS, with the phone and the text of each SMS, and a day of delivery logs"
    if values["Edge"] == "on":
        yield f"{EDGE}: the edge's secret and firewall; calls pass CloudFront's places everywhere, and none is kept"
    if values["CopyRegion"]:
        yield f"{values['CopyRegion']}: each night's copy of all tables and of the files (plates and phones)"
    if values["UrSmsUrl"]:
        yield f"the National Data Center, at {values['UrSmsUrl']}: the phone and the text of each SMS"


def copies(account: Account) -> Iterator[Line]:
    """A Region of copies is another one."""
    region, copy = account.settings.region, account.settings.parameters["CopyRegion"]
    if copy == region:
        yield Line(STOP, "copies", f"CopyRegion={copy} is the stack's own", "name another Region, or none")
    elif not copy:
        yield Line(
            LOOK,
            "copies",
            "CopyRegion is empty: a Region that is lost takes all data with it",
            "docs/deploying.md#what-is-lost-at-worst",
        )
    else:
        yield Line(OK, "copies", f"each night into {copy}")
