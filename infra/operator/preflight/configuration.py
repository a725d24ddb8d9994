"""Checks of samconfig.toml by itself: what was never filled in, and what contradicts the load that is counted on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from infra import cost
from infra.operator.preflight.account import Account
from infra.operator.preflight.lines import OK, STOP, Line

_RESERVED: Final = re.compile(r"(^|[./@])(example\.(com|net|org)|[\w-]+\.(example|test|invalid)|localhost)([:/]|$)")
"""Names that belong to nobody: https://www.rfc-editor.org/rfc/rfc2606 and 6761."""
_UNFILLED: Final = re.compile(r"<[^>]*>|\.\.\.|…|TODO|CHANGE.?ME", re.IGNORECASE)
DAYS_OF_SMS: Final = 1.5
"""Average days that a day's cap must let pass from phase 2 on: a day of many news is no mistake."""


def placeholders(account: Account) -> Iterator[Line]:
    """Values that only say where a value belongs."""
    settings = account.settings
    found = [
        f"{name}={value}"
        for name, value in settings.parameters.items()
        if _RESERVED.search(value) or _UNFILLED.search(value)
    ]
    needed = () if settings.holds()["SignInByUr"] else ("JwtIssuer", "JwtAudience")
    found += [f"{name} is empty" for name in needed if not settings.parameters[name]]
    if found:
        way_out = f"write the real ones into samconfig.toml, [{settings.environment}.deploy.parameters]"
        yield Line(STOP, "placeholders", "; ".join(found), way_out)
    else:
        yield Line(OK, "placeholders", "none is left in samconfig.toml")


def sms_of_a_day(account: Account) -> Iterator[Line]:
    """The day's cap of SMS beside the days that are counted on."""
    values = account.settings.parameters
    cap, day = float(values["SmsSpendDayCap"]), cost.sms_of_a_day(float(values["SmsPartPrice"]))
    why = (
        f"SmsSpendDayCap lets ${cap:,.0f} pass, an average day is ${day:,.0f} at SmsPartPrice={values['SmsPartPrice']}"
    )
    if account.settings.phase > 1 and cap < DAYS_OF_SMS * day:
        way_out = (
            f"from phase 2 on it must be {DAYS_OF_SMS} average days: SmsSpendDayCap={DAYS_OF_SMS * day:.0f} or more"
        )
        yield Line(STOP, "SMS of a day", why, way_out)
    else:
        yield Line(OK, "SMS of a day", why)
