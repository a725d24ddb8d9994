"""Start a payment: hold what is asked for at today's price, keep the payment, and order it from the gateway once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pay.gateways import Gateway, NotReachedError, OrderRequest, RefusedError, UnknownError, UnpayableError
from pay.gateways.offers import OFFERS
from pay.payments.holding import gained, is_held_price, keep_price
from pay.payments.settle import PaymentStores, release
from pay.payments.supersede import supersede
from pay.payments.sync import ORDER_LOST
from pay.payments.take_over import take_over
from shared.access.accesses import Accesses
from shared.access.grant import Access, Grant
from shared.domain import fine
from shared.domain.money import CURRENCY
from shared.domain.payment import MINUTES_TO_PAY, Line, Payment, PaymentStatus
from shared.domain.text import digest
from shared.domain.time import BAGHDAD, from_text, to_text
from shared.domain.violation import IN_PAYMENT, MAY_BE_OWED, UNPAID, Violation
from shared.http import FieldError, Problem, invalid, report
from shared.identity import Citizen
from shared.observability import count
from shared.policies import RULES
from shared.stores.items import MAX_ACTIONS, readable
from shared.stores.paying.payment_items import KeyUse
from shared.stores.paying.payments import CREATE_ACTIONS
from shared.stores.people.who_looked import What, WhoLooked

MAX_START_TIME: Final = timedelta(seconds=20)
"""A start that has not come to its end after this long never will: the function's own timeout."""
MAX_LET_GO: Final = {Access.LOOKED_UP: 2, Access.LINKED: 4}
"""Holds of one violation that a citizen may cancel or let expire in a day; who has proved the vehicle theirs, any."""
_CLOSED_WITHIN: Final = 180
"""Seconds: by then poll_gateways has come by once."""
REFUSED_ORDER: Final = "order_refused"


class PaymentRequest(NamedTuple):
    """What a citizen wants to pay, by which gateway, and where to return to."""

    violations: tuple[str, ...]
    gateway: str
    return_url: str
    key: str


class StartPorts(NamedTuple):
    """What a start needs of this deployment.

    gateway: a gateway by name. open_gateway: the same unless it is closed to new payments. silent: takes note that the
    gateway of a name did not answer. max_live, max_started: payments of one citizen that may be live at once, and begun
    in a day. callback_url: where a gateway of that name tells us. price_kept_for: how long after its doubling a fine
    that another holds keeps its price.
    """

    gateway: Callable[[str], Gateway | None]
    open_gateway: Callable[[str], Gateway | None]
    silent: Callable[[str], None]
    max_live: int
    max_started: int
    callback_url: Callable[[str], str]
    price_kept_for: timedelta


def start(
    citizen: Citizen,
    request: PaymentRequest,
    ports: StartPorts,
    *,
    stores: PaymentStores,
    accesses: Accesses,
    who_looked: WhoLooked,
    language: str,
    now: datetime,
) -> Payment:
    """Hold the violations at today's price, keep the payment, and order it from the gateway.

    The same key and request again give the first answer again, with the payment as it is by then; one that was refused
    uses no key up. The answer is ``created`` without a page to pay on where the gateway did not answer: poll_gateways
    finds out. Raises Problem: 409 for a key used otherwise or still at work, for too many live payments, and while
    the weaker payment is closed that holds a proven owner's; 422 naming
    each violation that cannot be paid or is not the citizen's to see; 502 where the gateway refuses; 503 where its
    answer is lost and nobody can pay what it may have taken.
    """
    fingerprint = digest(*request.violations, request.gateway, request.return_url)
    use, today = stores.payments.begun(citizen.sub, request.key, now)
    if earlier := _of_use(use, fingerprint, stores, now):
        return earlier
    gateway = ports.open_gateway(request.gateway)
    if gateway is None:
        raise invalid("gateway", "gateway_closed" if ports.gateway(request.gateway) else "gateway_unknown")
    looked = _look(citizen, request.violations, stores, accesses, now)
    if looked.errors:
        # The same request, a moment ahead of this one, may be what holds them.
        if earlier := _earlier(citizen, request, fingerprint, stores, now):
            return earlier
        if supersede(citizen.sub, request.violations, stores, now):
            looked = _look(citizen, request.violations, stores, accesses, now)
        keep_price(_by_others(looked, citizen, stores), stores.violations, ports.price_kept_for, now)
        if take_over(citizen.sub, looked.held, looked.grants, stores, accesses, now):
            raise Problem(409, "owner_first", headers={"retry-after": str(_CLOSED_WITHIN)})
    chosen = looked.chosen
    for violation in chosen:
        most = MAX_LET_GO.get(looked.grants[violation.plate_key].access)
        if most is not None and today.times_let_go(violation.violation_no, now) >= most:
            raise _used_up("holds_quota", now)
    payment = _quoted(citizen, request, chosen, language, now)
    if (offer := OFFERS.get(payment.gateway)) and not offer.takes(payment.amount):
        raise invalid("gateway", "amount_not_taken")
    holds = [
        stores.violations.hold(
            violation,
            payment.payment_id,
            unless_wanted_at=None if looked.grants[violation.plate_key].is_proven else now,
        )
        for violation in chosen
    ]
    entries = [
        who_looked.entry_action(plate_key, What.PAYMENT, citizen.sub, now, payment.payment_id)
        for plate_key in dict.fromkeys(violation.plate_key for violation in chosen)
    ]
    room = MAX_ACTIONS - CREATE_ACTIONS - len(holds)
    who_looked.enter(entries[room:])  # of more plates than a transaction has room for
    actions = [*holds, *entries[:room]]
    refusal = stores.payments.create(
        payment, request.key, fingerprint, ports.max_live, actions, now, most_started=ports.max_started, today=today
    )
    if refusal is not None:
        if refusal.own and (earlier := _earlier(citizen, request, fingerprint, stores, now)):
            return earlier
        if refusal.full:
            raise Problem(409, "payments_full")
        if refusal.used_up:
            raise _used_up("starts_quota", now)
        looked = _look(citizen, request.violations, stores, accesses, now)
        keep_price(_by_others(looked, citizen, stores), stores.violations, ports.price_kept_for, now)
        raise _not_payable(looked.errors or [(position, "changed_meanwhile") for position in refusal.others])
    if less := gained(chosen, payment.created_at):
        count("HeldPriceDinars", less)
    return _order(payment, gateway, ports, stores, now)


def _used_up(code: str, now: datetime) -> Problem:
    """A quota of the day is used up: 429 with the seconds until the day ends in Baghdad."""
    count("QuotaRefused")
    today = now.astimezone(BAGHDAD).replace(hour=0, minute=0, second=0, microsecond=0)
    left = int((today + timedelta(days=1) - now).total_seconds())
    return Problem(429, code, headers={"retry-after": str(left)})


def is_starting(payment: Payment, now: datetime) -> bool:
    """Whether the call that orders it may still be under way."""
    return (
        payment.status == PaymentStatus.CREATED
        and not payment.unanswered
        and now < from_text(payment.created_at) + MAX_START_TIME
    )


def still_starting() -> Problem:
    """The answer to whoever comes while the gateway is being asked for the order."""
    return Problem(409, "still_starting", headers={"retry-after": "5"})


def _earlier(
    citizen: Citizen, request: PaymentRequest, fingerprint: str, stores: PaymentStores, now: datetime
) -> Payment | None:
    """The payment that this key has made, if any. Raises Problem as the first answer was one."""
    return _of_use(stores.payments.begun(citizen.sub, request.key, now)[0], fingerprint, stores, now)


def _of_use(use: KeyUse | None, fingerprint: str, stores: PaymentStores, now: datetime) -> Payment | None:
    if use is None:
        return None
    if use.request != fingerprint:
        raise Problem(409, "key_reused")
    payment = stores.payments.get(use.payment_id)
    if payment and is_starting(payment, now):
        raise still_starting()
    if payment and payment.reason == REFUSED_ORDER:
        raise _refused(payment)
    if payment and payment.reason == ORDER_LOST.reason:
        raise _lost(payment)
    return payment


class _Looked(NamedTuple):
    """What a citizen wants to pay, as it stands. found: by number, of what can be read."""

    numbers: tuple[str, ...]
    found: dict[str, Violation]
    grants: Mapping[str, Grant]
    at: str

    @property
    def errors(self) -> list[tuple[int, str]]:
        """By position, why one cannot be paid.

        One on a plate not the citizen's to see does not exist, nor does one that cannot be read, which no answer shows.
        """
        return [(index, error) for index, number in enumerate(self.numbers) if (error := self._error(number))]

    def _error(self, violation_no: str) -> str | None:
        violation = self.found.get(violation_no)
        if violation is None or self.grants[violation.plate_key].access is Access.NONE:
            return "violation_not_found"
        if violation.state != UNPAID:
            return f"violation_{violation.state}"
        is_wanted = violation.wanted_until is not None and violation.wanted_until > self.at
        if is_wanted and not self.grants[violation.plate_key].is_proven:
            return f"violation_{IN_PAYMENT}"
        return None if violation.due(self.at, RULES).amount else "violation_nothing_due"

    @property
    def held(self) -> list[Violation]:
        """Those that the citizen may see and another payment holds."""
        positions = [index for index, error in self.errors if error == f"violation_{IN_PAYMENT}"]
        return [self.found[self.numbers[index]] for index in positions]

    @property
    def chosen(self) -> list[Violation]:
        """All of them, in the order asked for. Raises Problem 422 where one cannot be paid."""
        if self.errors:
            raise _not_payable(self.errors)
        return [self.found[violation_no] for violation_no in self.numbers]


def _look(
    citizen: Citizen, numbers: Sequence[str], stores: PaymentStores, accesses: Accesses, now: datetime
) -> _Looked:
    """Read the violations and what the citizen is to their plates. Two BatchGetItems for fifty of eight plates."""
    at, unreadable = to_text(now), list[Exception]()
    recorded = stores.violations.get(numbers, unreadable).values()
    found = {each.violation_no: each for each in readable(recorded, lambda each: _priced(each, at), unreadable)}
    grants = accesses.accesses(citizen.sub, (violation.plate_key for violation in found.values()), now, unreadable)
    report(unreadable)
    return _Looked(tuple(numbers), found, grants, at)


def _by_others(looked: _Looked, citizen: Citizen, stores: PaymentStores) -> list[Violation]:
    """Those that a payment of another citizen holds."""
    if not (held := looked.held):
        return []
    holders = stores.payments.several(violation.held_by for violation in held if violation.held_by)
    own = {payment_id for payment_id, payment in holders.items() if payment.sub == citizen.sub}
    return [violation for violation in held if violation.held_by not in own]


def _priced(violation: Violation, at: str) -> Violation:
    """The violation, of which can be told what is owed if it may be."""
    if violation.state in MAY_BE_OWED:
        violation.due(at, RULES)
    return violation


def _not_payable(errors: Sequence[tuple[int, str]]) -> Problem:
    return Problem(422, "not_payable", *(FieldError(f"violations.{index}", code) for index, code in errors))


def _quoted(
    citizen: Citizen, request: PaymentRequest, chosen: Sequence[Violation], language: str, now: datetime
) -> Payment:
    at = to_text(now)
    lines = tuple(_line(violation, at) for violation in chosen)
    return Payment(
        payment_id=secrets.token_hex(16),
        sub=citizen.sub,
        gateway=request.gateway,
        status=PaymentStatus.CREATED,
        lines=lines,
        amount=sum(line.amount for line in lines),
        created_at=at,
        expires_at=to_text(now + timedelta(minutes=MINUTES_TO_PAY)),
        return_url=request.return_url,
        phone=citizen.phone,
        language=language,
    )


def _line(violation: Violation, at: str) -> Line:
    due = violation.due(at, RULES)
    rule = fine.chosen(violation.facts, RULES).policy
    return Line(
        violation.violation_no,
        due.amount,
        violation.plate_key,
        violation.sector_code,
        violation.sector_governorate or "",
        rule.id if rule else "",
        due.window.id if due.window else "",
        (violation.held_price_until or "") if is_held_price(violation, at) else "",
    )


def _order(payment: Payment, gateway: Gateway, ports: StartPorts, stores: PaymentStores, now: datetime) -> Payment:
    order = OrderRequest(
        payment.payment_id,
        payment.amount,
        CURRENCY,
        f"Gharama {len(payment.lines)}",
        payment.language,
        ports.callback_url(payment.gateway),
        payment.return_url,
        payment.expires_at,
    )
    try:
        page = gateway.order(order)
    except RefusedError as error:
        if isinstance(error, NotReachedError):
            ports.silent(payment.gateway)
        _fail(payment, REFUSED_ORDER, stores, now)
        raise _refused(payment) from error
    except UnpayableError as error:
        ports.silent(payment.gateway)
        _fail(payment, ORDER_LOST.reason, stores, now)
        raise _lost(payment) from error
    except UnknownError:
        ports.silent(payment.gateway)
        after = payment._replace(unanswered=True)
        stores.payments.change(payment, after, now, what="order_unanswered")
    else:
        if page.ways:
            stores.payments.put_ways(payment.payment_id, page.ways, now)
        after = payment._replace(
            status=PaymentStatus.PENDING,
            gateway_id=page.gateway_id,
            redirect_url=page.redirect_url,
            has_ways=page.ways is not None,
        )
        stores.payments.change(payment, after, now, [stores.payments.bind_action(payment, page.gateway_id)])
    # A callback may have been quicker than the gateway's answer: what is kept is what counts.
    return stores.payments.get(payment.payment_id) or after


def _fail(payment: Payment, reason: str, stores: PaymentStores, now: datetime) -> None:
    failed = payment._replace(status=PaymentStatus.FAILED, reason=reason, ended_at=to_text(now))
    release(stores, payment, failed, now)


def _lost(payment: Payment) -> Problem:
    return Problem(503, "gateway_silent", members={"payment_id": payment.payment_id})


def _refused(payment: Payment) -> Problem:
    return Problem(502, "gateway_refused", members={"payment_id": payment.payment_id})
