"""The calls of the API: what each takes, answers and refuses. Codes of refusals are keys of ``PROBLEMS``."""

from dataclasses import dataclass, field

from shared.http import MAX_ID_CHARACTERS
from shared.pagination import MAX_PAGE_ITEMS, PAGE

Parameter = dict[str, object]
Refusals = dict[int, tuple[str, ...]]
Fields = dict[str, tuple[str, ...]]
"""Of each field, the codes with which it can be refused."""


@dataclass(frozen=True)
class Operation:
    """One call. answers: a schema's name by status, None for no body. fields: those of ``invalid_input``."""

    summary: str
    answers: dict[int, str | None]
    body: str | None = None
    parameters: tuple[Parameter, ...] = ()
    refusals: Refusals = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)
    unreadable: Fields = field(default_factory=dict)
    open: bool = False
    of_office: bool = False
    """Whether somebody calls it for the directorate, and not about themselves."""


def _path(name: str) -> Parameter:
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARACTERS}
    return {"name": name, "in": "path", "required": True, "schema": schema}


PAGED: tuple[Parameter, ...] = (
    {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "next_cursor of the page before"},
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_ITEMS, "default": PAGE},
    },
)
PAGE_FIELDS: Fields = {"cursor": ("cursor_invalid",), "limit": ("wrong_value",)}
VEHICLE = _path("vehicle_id")

_PART = ("missing", "wrong_type", "too_long")
PLATE_FIELDS: Fields = {
    "plate": ("missing", "wrong_type"),
    **{f"plate.{part}": _PART for part in ("family", "governorate", "category", "letter", "number")},
}
PLATE_UNREADABLE: Fields = {
    "plate": (
        "plate_too_long",
        "plate_unreadable",
        "governorate_missing",
        "governorate_twice",
        "category_twice",
        "family_twice",
        "letter_twice",
        "numbers_too_many",
        "word_unknown",
    ),
    "plate.family": ("family_unknown", "family_new"),
    "plate.governorate": ("governorate_unknown", "governorate_not_kurdistan"),
    "plate.category": ("category_unknown",),
    "plate.letter": ("letter_missing", "letter_forbidden", "letter_not_arabic", "letter_not_latin"),
    "plate.number": ("number_missing", "number_not_digits", "number_zero", "number_too_long"),
}

CALLBACK_REFUSALS = {
    401: ("callback_refused",),
    404: ("gateway_unknown", "no_such_payment"),
    413: ("body_too_large",),
    503: ("gateway_silent",),
}

OPERATIONS: dict[str, Operation] = {
    "POST /v1/queries": Operation(
        "Everything recorded on a plate, with what is owed; the result by SMS too",
        {200: "QueryAnswer"},
        body="QueryAsked",
        refusals={409: ("plate_ambiguous",), 429: ("quota_queries", "quota_plates", "quota_unreadable")},
        fields={**PLATE_FIELDS, "sms": ("wrong_type",)},
        unreadable=PLATE_UNREADABLE,
    ),
    "GET /v1/queries/{query_id}": Operation(
        "Further pages of a query, for 24 hours; no quota, no SMS",
        {200: "ViolationPage"},
        parameters=(_path("query_id"), *PAGED),
        refusals={404: ("no_such_query",), 409: ("plate_ambiguous",)},
        fields=PAGE_FIELDS,
    ),
    "GET /v1/vehicles": Operation("My vehicles", {200: "VehiclePage"}, parameters=PAGED, fields=PAGE_FIELDS),
    "POST /v1/vehicles": Operation(
        "Link a vehicle: 201 for a new link, 200 for one that was there",
        {201: "VehicleLinked", 200: "VehicleLinked"},
        body="VehicleAsked",
        refusals={
            409: ("plate_ambiguous", "vehicles_full", "followers_full", "proofs_full"),
            429: ("quota_links", "proofs_quota", "quota_queries", "quota_plates"),
        },
        fields={
            **PLATE_FIELDS,
            "relation": ("missing", "wrong_type", "wrong_value"),
            "notify": ("wrong_type",),
            "proof": ("missing", "wrong_type"),
            "proof.type": ("missing", "wrong_value"),
            "proof.number": ("missing", "wrong_type", "too_long", "wrong_value", "proof_wrong"),
        },
        unreadable=PLATE_UNREADABLE,
    ),
    "PATCH /v1/vehicles/{vehicle_id}": Operation(
        "Change a link: SMS on or off, relation",
        {200: "Vehicle"},
        body="VehicleChange",
        parameters=(VEHICLE,),
        refusals={404: ("no_such_vehicle",)},
        fields={
            "relation": ("wrong_type", "wrong_value"),
            "notify": ("wrong_type",),
            "renew": ("wrong_type", "wrong_value"),
        },
    ),
    "DELETE /v1/vehicles/{vehicle_id}": Operation(
        "End a link", {204: None}, parameters=(VEHICLE,), refusals={404: ("no_such_vehicle",)}
    ),
    "GET /v1/vehicles/{vehicle_id}/violations": Operation(
        "Everything recorded on a linked vehicle, page by page",
        {200: "VehicleViolationPage"},
        parameters=(VEHICLE, *PAGED),
        refusals={403: ("not_proven",), 404: ("no_such_vehicle",)},
        fields=PAGE_FIELDS,
    ),
    "GET /v1/vehicles/{vehicle_id}/followers": Operation(
        "Who follows a vehicle that I have proved mine",
        {200: "FollowerPage"},
        parameters=(VEHICLE,),
        refusals={403: ("not_proven",), 404: ("no_such_vehicle",)},
    ),
    "DELETE /v1/vehicles/{vehicle_id}/followers/{follower_id}": Operation(
        "End another's link, made without proof, to a vehicle that I have proved mine",
        {204: None},
        parameters=(VEHICLE, _path("follower_id")),
        refusals={
            403: ("not_proven",),
            404: ("no_such_vehicle", "no_such_follower"),
            409: ("follower_proven",),
        },
    ),
    "GET /v1/vehicles/{vehicle_id}/look-ups": Operation(
        "How often others looked at the number of a vehicle that I have proved mine, day by day",
        {200: "LookUpDayPage"},
        parameters=(VEHICLE, *PAGED),
        refusals={403: ("not_proven",), 404: ("no_such_vehicle",)},
        fields=PAGE_FIELDS,
    ),
    "GET /v1/me": Operation("What I chose, and my phone, masked", {200: "Me"}),
    "PATCH /v1/me": Operation(
        "Choose the language; SMS on or off for everything",
        {200: "Me"},
        body="MeChange",
        fields={"language": ("wrong_type", "wrong_value"), "sms": ("wrong_type",)},
    ),
    "DELETE /v1/me": Operation(
        "Erase what is kept of me: every call is refused until it is done, in some minutes, and then I am told by SMS",
        {202: "Erasure"},
        refusals={409: ("payment_live",)},
    ),
    "GET /v1/me/export": Operation(
        "All that is kept of me, as it is stored, in pages of about so many items; a page may be empty before the last",
        {200: "KeptPage"},
        parameters=PAGED,
        fields=PAGE_FIELDS,
    ),
    "GET /v1/messages": Operation(
        "SMS to me, newest first, with their status", {200: "MessagePage"}, parameters=PAGED, fields=PAGE_FIELDS
    ),
    "POST /v1/payments": Operation(
        "Start a payment: 201, or 202 where the gateway has not given its page yet",
        {201: "Payment", 202: "Payment"},
        body="PaymentAsked",
        parameters=(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
            },
        ),
        refusals={
            400: ("key_missing", "key_malformed"),
            409: ("key_reused", "still_starting", "payments_full", "owner_first"),
            429: ("starts_quota", "holds_quota"),
            422: ("not_payable",),
            502: ("gateway_refused",),
            503: ("payments_paused",),
        },
        fields={
            "violations": ("missing", "wrong_type", "empty", "too_many", "repeated"),
            "violations.0": (
                "wrong_type",
                "too_long",
                "violation_not_found",
                "violation_paid",
                "violation_cancelled",
                "violation_disputed",
                "violation_in_payment",
                "violation_other",
                "violation_nothing_due",
                "changed_meanwhile",
            ),
            "gateway": ("missing", "wrong_type", "too_long", "gateway_unknown", "gateway_closed", "amount_not_taken"),
            "return_url": ("missing", "wrong_type", "too_long", "return_url_refused"),
        },
    ),
    "GET /v1/payments": Operation(
        "My payments, newest first", {200: "PaymentPage"}, parameters=PAGED, fields=PAGE_FIELDS
    ),
    "POST /v1/payments/{payment_id}/cancel": Operation(
        "Give a payment up: the payment as it is then, which is paid where the money was quicker; 202 while the gateway"
        " has not closed its order",
        {200: "Payment", 202: "Payment"},
        parameters=(_path("payment_id"),),
        refusals={
            404: ("no_such_payment",),
            409: ("payment_over", "payment_other", "still_starting"),
            503: ("gateway_silent",),
        },
    ),
    "GET /v1/payments/{payment_id}": Operation(
        "One of my payments",
        {200: "Payment"},
        parameters=(_path("payment_id"),),
        refusals={404: ("no_such_payment",)},
    ),
    "GET /v1/payments/{payment_id}/receipt": Operation(
        "My receipt, with an address of its PDF that works for five minutes",
        {200: "PaymentReceipt"},
        parameters=(_path("payment_id"),),
        refusals={404: ("no_such_payment",), 409: ("not_paid",)},
    ),
    "GET /v1/gateways": Operation(
        "The gateways that one can pay by, those that are open first",
        {200: "Gateways"},
        open=True,
    ),
    "GET /v1/receipts/{receipt_no}": Operation(
        "Whether a receipt is genuine; nothing in it tells of a person or a plate",
        {200: "Receipt"},
        parameters=(_path("receipt_no"),),
        refusals={404: ("no_such_receipt",)},
        open=True,
    ),
    "POST /v1/settlements/check": Operation(
        "Whether violations are paid, for a counter that is about to take money (scope directorate)",
        {200: "SettlementChecks"},
        body="SettlementsAsked",
        refusals={403: ("scope_missing",)},
        fields={
            "violations": ("missing", "wrong_type", "empty", "too_many", "repeated"),
            "violations.0": ("wrong_type", "empty", "too_long"),
        },
        of_office=True,
    ),
    "POST /v1/callbacks/{gateway}": Operation(
        "A payment gateway says that something happened; verified by the gateway's own scheme",
        {200: "Callback"},
        parameters=(_path("gateway"),),
        refusals=CALLBACK_REFUSALS,
        open=True,
    ),
    "GET /v1/callbacks/{gateway}": Operation(
        "A payment gateway sends the citizen's browser, which goes on to the payment's return_url",
        {303: None},
        parameters=(_path("gateway"),),
        refusals=CALLBACK_REFUSALS,
        open=True,
    ),
    "POST /v1/uploads": Operation(
        "Prepare the upload of a file (scope directorate)",
        {201: "UploadForm"},
        body="UploadAsked",
        refusals={403: ("scope_missing",)},
        fields={
            "origin": ("missing", "wrong_value"),
            "format": ("missing", "wrong_value"),
            "encoding": ("missing", "wrong_value"),
            "as_of": ("wrong_value",),
            "size": ("missing", "wrong_type", "wrong_value", "too_large"),
            "accept": ("wrong_type", "too_many", "wrong_value"),
            "check": ("wrong_type",),
        },
        of_office=True,
    ),
    "GET /v1/uploads/{upload_id}": Operation(
        "What became of an upload (scope directorate)",
        {200: "Upload"},
        parameters=(_path("upload_id"),),
        refusals={403: ("scope_missing",), 404: ("no_such_upload",)},
        of_office=True,
    ),
    "GET /v1/health": Operation("The API answers", {200: "Health"}, open=True),
    "GET /v1/openapi.json": Operation("This description", {200: "Description"}, open=True),
}
