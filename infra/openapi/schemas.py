"""The shapes of the API's bodies."""

from typing import Any

from ingest.api import ENCODINGS, FORMATS, MAX_ACCEPTED
from ingest.format.accepting import PATTERN
from ingest.format.origins import ORIGINS
from pay import counter
from pay.api import PaymentBody
from pay.gateways.offers import BANK_APP, CARD, WALLET
from query.vehicles import RELATIONS
from shared.domain import fine, payment, violation
from shared.domain.file import ENDED, FileStatus
from shared.domain.message import MessageStatus
from shared.domain.money import CURRENCY
from shared.domain.plate import CATEGORIES, GERMAN, KURDISTAN, OLD, UNIFIED
from shared.domain.registration import MAX_NUMBER_CHARACTERS as MAX_REGISTRATION_CHARACTERS
from shared.http import LANGUAGES

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
INSTANT_OR_DAY: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d\+03:00)?$"}


def ref(name: str) -> Schema:
    """One of the named shapes."""
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(*values: str) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(values)}


def nullable(schema: Schema) -> Schema:
    """The shape, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    """A list of the shape."""
    return {"type": "array", "items": schema}


def answer(**properties: Schema) -> Schema:
    """An object of an answer: every member is there, and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def request(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object of a request: unknown members are ignored."""
    return {"type": "object", "properties": properties, "required": list(required)}


def incomplete(shape: Schema) -> Schema:
    """An answer that says so where something is left out of it because it cannot be read."""
    note = {**TEXT, "description": "Where something is left out: that not everything could be shown"}
    marks = {"note": note, **shape["properties"], "incomplete": {**FLAG, "const": True}}
    return {**shape, "properties": marks}


def page(schema: Schema, **more: Schema) -> Schema:
    """A page of a list."""
    return incomplete(answer(**more, items=listed(schema), next_cursor=nullable(TEXT)))


_PLATE = {"family": "unified", "governorate": "Erbil", "category": "private", "letter": "M", "number": "2345"}

_PARTS = {
    "family": {**TEXT, "maxLength": 40},
    "governorate": {
        "description": "Code, name, or the object of an answer",
        "anyOf": [{**TEXT, "maxLength": 40}, request(("code",), code={**TEXT, "maxLength": 40})],
    },
    "category": nullable({**TEXT, "maxLength": 40}),
    "letter": nullable({**TEXT, "maxLength": 40}),
    "number": {**TEXT, "maxLength": 40},
}

_STATES = (
    *(violation.UNPAID, violation.IN_PAYMENT, violation.PAID, violation.CANCELLED, violation.DISPUTED),
    violation.OTHER,
)
_LAPSES = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "null"}],
    "description": "The day on which a link without proof ends unless it is renewed; null where none is known",
}
_RELATION = one_of(*RELATIONS, violation.OTHER)
_OBJECTIONS_WHERE: Schema = {**TEXT, "description": "Where one objects to a violation"}

SCHEMAS: dict[str, Schema] = {
    "Governorate": answer(code={"type": "string", "pattern": "^[12][0-9]$"}, name=TEXT),
    "Plate": answer(
        family=one_of(GERMAN, OLD, KURDISTAN, UNIFIED),
        governorate=ref("Governorate"),
        category=nullable(one_of(*CATEGORIES)),
        letter=nullable(TEXT),
        number={"type": "string", "pattern": "^[1-9][0-9]{0,6}$"},
        text=TEXT,
    ),
    "PlateAsked": {
        "description": "A plate as typed, or its parts (the plate of an answer will do)",
        "anyOf": [{**TEXT, "maxLength": 80}, request(("family", "governorate", "number"), **_PARTS)],
    },
    "Due": answer(
        amount=COUNT,
        currency=one_of(CURRENCY),
        stage=one_of(fine.DISCOUNTED, fine.BASE, fine.DOUBLED, fine.STATED),
        changes_at=nullable(INSTANT_OR_DAY),
        next_amount=nullable(COUNT),
        window={
            **nullable(answer(id=TEXT, until=DAY, was=COUNT)),
            "description": "Why less is asked now: until the end of which day, and what were owed else",
        },
    ),
    "Violation": answer(
        violation_no=TEXT,
        plate=ref("Plate"),
        code=TEXT,
        title=nullable(TEXT),
        legal_ref=nullable(TEXT),
        occurred_at=INSTANT_OR_DAY,
        recorded_at=INSTANT_OR_DAY,
        notified_at=nullable(INSTANT_OR_DAY),
        place=nullable(TEXT),
        sector=answer(code=TEXT, name=nullable(TEXT), governorate=nullable(ref("Governorate"))),
        base_amount=COUNT,
        due={**nullable(ref("Due")), "description": "Of what is unpaid, in payment or disputed"},
        status=one_of(*_STATES),
        paid_at=nullable(INSTANT_OR_DAY),
        receipt_no=nullable(TEXT),
    ),
    "Totals": answer(
        count=COUNT,
        unpaid_count=COUNT,
        amount={**COUNT, "description": "Of what is unpaid or in payment"},
        disputed_count=COUNT,
        disputed_amount={**COUNT, "description": "Of what is disputed, which stands in no other amount"},
        currency=one_of(CURRENCY),
        complete={**FLAG, "description": "false where a violation could not be read: all this may be too little"},
    ),
    "QueryAsked": {
        **request(("plate",), plate=ref("PlateAsked"), sms={**FLAG, "default": True}),
        "examples": [{"plate": "بغداد ز ١٢٣٤٥"}, {"plate": _PLATE, "sms": False}],
    },
    "QueryAnswer": incomplete(
        answer(
            query_id=ID,
            plate=ref("Plate"),
            as_of={**nullable(INSTANT), "description": "Up to when the directorate's data goes"},
            note={
                **nullable(TEXT),
                "description": "Where nothing unpaid is recorded: that, and as of when;"
                " where something is left out because it cannot be read: that",
            },
            objections_where=_OBJECTIONS_WHERE,
            violations=listed(ref("Violation")),
            totals=ref("Totals"),
            next_cursor=nullable(TEXT),
            sms=answer(
                status={
                    **one_of("queued", "same_as_recent", "limit", "no_phone", "off", "incomplete"),
                    "description": "incomplete: a violation could not be read, and no SMS names too small a sum",
                },
                parts=COUNT,
            ),
        )
    ),
    "ViolationPage": page(ref("Violation")),
    "VehicleViolationPage": page(
        ref("Violation"),
        plate=ref("Plate"),
        as_of=nullable(INSTANT),
        objections_where=_OBJECTIONS_WHERE,
        totals=ref("Totals"),
    ),
    "VehicleAsked": {
        **request(
            ("plate", "relation"),
            plate=ref("PlateAsked"),
            relation=one_of(*RELATIONS),
            notify={**FLAG, "default": False, "description": "The consent to SMS about this vehicle"},
            proof={
                **request(
                    ("type", "number"),
                    type=one_of("registration"),
                    number={**TEXT, "maxLength": MAX_REGISTRATION_CHARACTERS},
                ),
                "description": "The number of the registration card; where none is registered it waits (proof_pending)",
            },
        ),
        "examples": [{"plate": _PLATE, "relation": "self", "notify": True}],
    },
    "VehicleChange": request(
        relation=one_of(*RELATIONS),
        notify=FLAG,
        renew={"type": "boolean", "const": True, "description": "That the link is still wanted, though without proof"},
    ),
    "Vehicle": answer(
        vehicle_id=ID,
        plate=ref("Plate"),
        relation=_RELATION,
        notify=FLAG,
        proven=FLAG,
        proof_pending=FLAG,
        lapses_on=_LAPSES,
    ),
    "VehicleLinked": incomplete(
        answer(
            vehicle_id=ID,
            plate=ref("Plate"),
            relation=_RELATION,
            notify=FLAG,
            proven=FLAG,
            proof_pending=FLAG,
            lapses_on=_LAPSES,
            totals=ref("Totals"),
        )
    ),
    "VehiclePage": page(ref("Vehicle")),
    "FollowerPage": page(
        answer(
            follower_id=ID,
            me=FLAG,
            phone=nullable(TEXT),
            relation=_RELATION,
            proven=FLAG,
            since=INSTANT,
        )
    ),
    "LookUpDayPage": page(answer(day=DAY, citizens=COUNT, staff=COUNT)),
    "Me": incomplete(answer(language=one_of(*LANGUAGES), sms=FLAG, phone=nullable(TEXT))),
    "Erasure": answer(stays=TEXT),
    "KeptPage": page(answer(kind=TEXT, table=TEXT, item={"type": "object"})),
    "MeChange": request(language=one_of(*LANGUAGES), sms=FLAG),
    "MessagePage": page(
        answer(
            message_id=TEXT,
            kind=TEXT,
            status=one_of(*MessageStatus, violation.OTHER),
            created_at=INSTANT,
            plate=nullable(ref("Plate")),
            text=nullable(TEXT),
        )
    ),
    "Payment": answer(
        payment_id=ID,
        status=one_of(*payment.TRANSITIONS, violation.OTHER),
        gateway=TEXT,
        amount=COUNT,
        currency=one_of(CURRENCY),
        items=listed(answer(violation_no=TEXT, amount=COUNT, rule=nullable(TEXT), window=nullable(TEXT))),
        redirect_url=nullable(TEXT),
        pay={
            **nullable(
                answer(
                    url=TEXT,
                    qr=nullable(TEXT),
                    code=nullable(TEXT),
                    links=answer(personal=nullable(TEXT), business=nullable(TEXT), corporate=nullable(TEXT)),
                )
            ),
            "description": "Where it can be paid; null for what cannot. qr: a picture as a data address, code: to be"
            " typed into the app, links: that open the app of a person, a business or a corporation; where the"
            " gateway has them",
        },
        note={**nullable(TEXT), "description": "What its citizen should know of its end, in the language asked for"},
        closing={**FLAG, "description": "Given up, while the gateway has not closed its order: it may still be paid"},
        created_at=INSTANT,
        expires_at=INSTANT,
        paid_at=nullable(INSTANT),
        receipt_no=nullable(TEXT),
        refund={
            **nullable(answer(amount=COUNT, status=one_of("review", "due", "done"), violations=listed(TEXT))),
            "description": "Money that pays nothing, and the violations that it was meant for",
        },
    ),
    "PaymentPage": page(ref("Payment")),
    "PaymentReceipt": answer(
        receipt_no=TEXT,
        payment_id=ID,
        paid_at=INSTANT,
        gateway=TEXT,
        amount=COUNT,
        currency=one_of(CURRENCY),
        items=listed(answer(violation_no=TEXT, plate=TEXT, amount=COUNT)),
        check_url={**TEXT, "description": "What the QR code of the PDF says"},
        pdf=answer(url=TEXT, expires_at=INSTANT),
    ),
    "Gateways": answer(
        items=listed(
            answer(
                gateway=TEXT,
                name=answer(**dict.fromkeys(LANGUAGES, TEXT)),
                kind=one_of(CARD, WALLET, BANK_APP),
                open={**FLAG, "description": "To new payments"},
                least={**nullable(COUNT), "description": "Dinars of one payment; null where none is known"},
                most={**nullable(COUNT), "description": "Dinars of one payment; null where none is known"},
            )
        )
    ),
    "Receipt": answer(
        receipt_no=TEXT,
        paid={**FLAG, "description": "false where the money went back after all"},
        money_returned_since={
            **nullable(INSTANT),
            "description": "Since when the money is back with its payer, until it is decided what follows",
        },
        amount=COUNT,
        currency=one_of(CURRENCY),
        paid_at=INSTANT,
    ),
    "SettlementsAsked": request(
        ("violations",),
        violations={
            **listed({**TEXT, "minLength": 1, "maxLength": counter.MAX_NUMBER_CHARACTERS}),
            "minItems": 1,
            "maxItems": counter.MAX_VIOLATIONS,
            "uniqueItems": True,
        },
    ),
    "SettlementChecks": answer(
        items=listed(
            answer(
                violation_no=TEXT,
                status=one_of(*_STATES, counter.UNKNOWN),
                paid_here={**FLAG, "description": "Through this service; else at a counter"},
                paid_amount=nullable(COUNT),
                paid_at=nullable(INSTANT),
                receipt_no=nullable(TEXT),
            )
        )
    ),
    "UploadAsked": request(
        ("origin", "format", "encoding", "size"),
        origin=one_of(*ORIGINS),
        format=one_of(*FORMATS),
        encoding=one_of(*ENCODINGS),
        size={"type": "integer", "minimum": 1, "maximum": max(FORMATS.values())},
        accept={"type": "array", "maxItems": MAX_ACCEPTED, "items": {"type": "string", "pattern": PATTERN}},
        as_of=nullable({**TEXT, "description": "When what the file says was so; else the moment of the upload"}),
        check={**FLAG, "description": "Only say what loading it would come to: nothing is loaded, nobody is told"},
    ),
    "UploadForm": answer(
        upload_id=ID, url=TEXT, fields={"type": "object", "additionalProperties": TEXT}, expires_at=INSTANT
    ),
    "Upload": answer(
        upload_id=ID,
        status=one_of("waiting", FileStatus.LOADING, *sorted(ENDED)),
        rows_found=COUNT,
        rows_done=COUNT,
        report=nullable({"type": "object"}),
    ),
    "PaymentAsked": PaymentBody.model_json_schema(),
    "Callback": answer(status=one_of("received")),
    "Description": {"type": "object", "required": ["openapi", "paths"]},
    "Health": answer(status=one_of("ok")),
    "Problem": {
        "description": "A problem document (RFC 9457) in the language of Accept-Language",
        "type": "object",
        "properties": {
            "type": one_of("about:blank"),
            "title": TEXT,
            "status": {"type": "integer"},
            "code": TEXT,
            "request_id": TEXT,
            "errors": listed(
                {
                    **answer(field=TEXT, code=TEXT, message=TEXT),
                    "properties": {"field": TEXT, "code": TEXT, "message": TEXT, "value": TEXT},
                }
            ),
            "candidates": listed(ref("Plate")),
            "example": TEXT,
            "payment_id": ID,
        },
        "required": ["type", "title", "status", "code", "request_id"],
        "additionalProperties": False,
    },
    "GatewayMessage": {
        "description": "What API Gateway says where it answers by itself",
        "type": "object",
        "properties": {"message": nullable(TEXT)},
        "required": ["message"],
    },
}
