"""SMS queue: each message is checked, claimed, sent, and marked."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from typing import Any, Final

from notify.delivery import HELD, Outcome, Rules, deliver
from notify.providers import Provider
from notify.quiet import QuietHours
from notify.wording import Stores
from shared.access.accesses import Accesses
from shared.access.proofs import Proofs
from shared.aws_json import Call, FastClient
from shared.batch import take_each
from shared.clock import now
from shared.observability import count
from shared.plate_crypto import PlateCrypto
from shared.settings import number, setting
from shared.stores.messaging.caps import SPEND_CAP, Caps
from shared.stores.messaging.messages import Messages
from shared.stores.outages import Outages, provider_key
from shared.stores.people.citizens import Citizens
from shared.stores.registry import Registry
from shared.stores.violations import Violations

_MILLIONTHS: Final = 1_000_000
_MAX_SENDING_MS: Final = 15_000
"""A message is begun only with this much time left: one cut off while it is being sent would end as unknown."""


@cache
def _ports() -> tuple[Stores, Provider, Rules]:
    call = FastClient()
    crypto = PlateCrypto.from_secret(call, setting("PLATE_KEY_SECRET"))
    messages, accesses = Messages(call, setting("MESSAGES_TABLE")), Accesses.from_settings(call, crypto)
    citizens = Citizens(call, setting("CITIZENS_TABLE"))
    registry = Registry(call, setting("REGISTRY_TABLE"), crypto)
    proofs = Proofs(accesses, citizens, registry, messages)
    stores = Stores(messages, Violations(call, setting("VIOLATIONS_TABLE")), accesses, proofs)
    rules = Rules(
        quiet=QuietHours.parse(setting("QUIET_HOURS")),
        caps=Caps(
            citizen_day=number("SMS_CITIZEN_DAY_CAP"),
            spend_day=_millionths(setting("SMS_SPEND_DAY_CAP")),
            other_share=number("SMS_OTHER_SHARE"),
            part_price=_millionths(setting("SMS_PART_PRICE")),
        ),
    )
    return stores, _provider(call), rules


def _provider(call: Call) -> Provider:
    """SNS alone, or with Ur's gateway where that has an address, in the order that is set."""
    from notify.providers.failover import Failover
    from notify.providers.sns import Sns
    from notify.providers.ur import Ur

    sns = Sns(setting("SMS_SENDER_ID"))
    url = setting("UR_SMS_URL")
    if not url:
        return sns

    def secret() -> tuple[str, str]:
        answer = call("secretsmanager", "GetSecretValue", {"SecretId": setting("UR_SMS_SECRET")})
        client = json.loads(answer["SecretString"])
        return client["client_id"], client["client_secret"]

    ur = Ur(url, secret)
    outages = Outages(call, setting("MESSAGES_TABLE"), provider_key)
    if setting("SMS_FIRST_PROVIDER") == ur.name:
        return Failover(ur, sns, outages, now)
    return Failover(sns, ur, outages, now)


def _millionths(dollars: str) -> int:
    return int(Decimal(dollars) * _MILLIONTHS)


def _send_message(body: str, context: Any) -> bool:
    if context.get_remaining_time_in_millis() < _MAX_SENDING_MS:
        return False
    message_id = json.loads(body)["message_id"]
    if not isinstance(message_id, str):
        raise TypeError("the id of a message is text")
    stores, provider, rules = _ports()
    outcome = deliver(message_id, stores, provider, rules, now())
    if outcome:
        _measure(outcome, rules)
    return True


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A message whose tables cannot be reached comes back; no other is held up by it."""
    return take_each(event, context, lambda body: _send_message(body, context), "a message was not handled")


def _measure(outcome: Outcome, rules: Rules) -> None:
    """Count how a message went, what it cost in dollars, and what the platform's own cap holds back."""
    count(f"Sms{outcome.status.title().replace('_', '')}")
    if outcome.parts:
        count("SmsParts", outcome.parts)
        count("SmsCost", outcome.parts * rules.caps.part_price / _MILLIONTHS)
    if outcome.status == HELD and outcome.reason == SPEND_CAP:
        count("SmsHeldBySpendCap")
