"""Every few minutes: the gateways are asked about payments that are neither paid nor over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pay.gateways import UnknownError
from pay.payments import conclude
from pay.wiring import open_gateways, settlement
from shared.clock import now
from shared.observability import count, logger

GRACE: Final = timedelta(minutes=2)
"""How long a payment is left to its citizen and its callback before it is asked about."""


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point. One payment that cannot be concluded holds up no other."""
    logger().append_keys(request_id=context.aws_request_id)
    stores = settlement()
    for payment_id in stores.payments.live(now() - GRACE):
        payment = stores.payments.get(payment_id)
        gateway = open_gateways().get(payment.gateway) if payment else None
        if payment is None or gateway is None:
            count("PaymentsWithoutGateway")
            continue
        try:
            status = conclude(payment, gateway, **stores._asdict(), now=now())
        except UnknownError as error:
            count("PaymentsUnknown")
            logger().warning("gateway not to be asked", extra={"payment_id": payment_id, "reason": str(error)})
        except Exception:  # noqa: BLE001 (whatever it is: the next payment is asked about, and this one again next time)
            count("PaymentsUnknown")
            logger().exception("a payment was not concluded", extra={"payment_id": payment_id})
        else:
            logger().info("asked", extra={"payment_id": payment_id, "status": status})
