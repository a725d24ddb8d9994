"""What the console needs of the cloud, faked in one process: API, upload bucket and the emulator's SMS.

It answers in the shapes of the API's description. Its payments go through the real sandbox gateway.
"""

import base64
import csv
import io
import json
import re
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = "/_aws/execute-api/fake/$default"
SECRET = {"api_key": "merchant-key", "callback_key": "callback-key"}

Json = dict[str, Any]
Answered = tuple[int, Any]

TITLES = {"plate_unreadable": "تعذرت قراءة رقم اللوحة", "plate_ambiguous": "رقم اللوحة يُقرأ بأكثر من وجه، اختر"}


def problem(status: int, code: str, **members: Any) -> Answered:
    return status, {"type": "about:blank", "title": TITLES[code], "status": status, "code": code} | members


def said(code: str, ar: str, en: str, column: str) -> Json:
    return {"code": code, "column": column, "message": ar, "message_en": en}


def plate_view(letter: str = "ب", category: str | None = "private", family: str = "german") -> Json:
    text = f"بغداد {letter} 12345" if family == "german" else f"11 {letter} 12345"
    governorate = {"code": "11", "name": "بغداد"}
    return {"family": family, "governorate": governorate, "category": category, "letter": letter} | {
        "number": "12345",
        "text": text,
    }


def baghdad_day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


class FakeCloud:
    """Serves on `url`; `front` is the address of the front before it, set once that is known.

    While it `is_busy` a file that has arrived is loading, one row of it done.
    """

    def __init__(self) -> None:
        self.front = ""
        self.violations: dict[str, Json] = {}
        self.followers: set[str] = set()
        self.uploads: list[Json] = []
        self.payments: dict[str, Json] = {}
        self.keys: dict[str, str] = {}
        self.sms: dict[str, list[Json]] = {}
        self.requests: list[tuple[str, str]] = []
        self.is_busy = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Answered:
        self.requests.append((method, path))
        if path.startswith("/_ministack/sns/sms-messages"):
            phone = "+" + path.rpartition("=%2B")[2]
            return 200, {"sms_messages": {phone: self.sms.get(phone, [])}, "region": "eu-west-1"}
        path = path.removeprefix(PREFIX)
        if path == "/v1/callbacks/sandbox":
            return self._called_back(json.loads(body))
        claims = claims_of(headers.get("Authorization", ""))
        if claims is None:
            return 401, {"message": "Unauthorized"}
        asked = json.loads(body) if body else {}
        match method, path.split("?")[0].strip("/").split("/")[1:]:
            case "POST", ["uploads"]:
                return self._slot(claims, asked)
            case "GET", ["uploads", upload_id]:
                return self._progress(self.uploads[int(upload_id)])
            case "POST", ["queries"]:
                return self._ask(claims, asked)
            case "GET", ["queries", _]:
                return 200, {"items": list(self.violations.values())[2:], "next_cursor": None}
            case "POST", ["vehicles"]:
                self.followers.add(claims["phone_number"])
                return 201, {"vehicle_id": "v", "plate": asked["plate"], "notify": asked["notify"]}
            case "POST", ["payments"]:
                return self._pay(claims, asked, headers["Idempotency-Key"])
            case "GET", ["payments", payment_id]:
                return 200, self.payments[payment_id]
            case "GET", ["payments", payment_id, "receipt"]:
                return 200, {"pdf": {"url": f"{self.url}/receipts/{payment_id}.pdf", "expires_at": ""}}
        return 404, {"message": "Not Found"}

    def send(self, phone: str, text: str) -> None:
        sent = self.sms.setdefault(phone, [])
        sent.append({"PhoneNumber": phone, "Message": text, "MessageId": f"{phone}-{len(sent)}"})

    def store(self, content_type: str, body: bytes) -> None:
        """The presigned post: every field of the slot, then the file."""
        message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        parts = [(part.get_param("name", header="content-disposition"), part) for part in message.get_payload()]
        fields = {name: part.get_payload() for name, part in parts[:-1]}
        upload = self.uploads[int(fields["key"])]
        assert fields == upload["fields"]
        assert parts[-1][0] == "file"
        upload["rows"] = list(csv.DictReader(io.StringIO(parts[-1][1].get_payload(decode=True).decode("utf-8-sig"))))

    def _slot(self, claims: Json, asked: Json) -> Answered:
        if claims.get("scope") != "directorate":
            return 403, {"message": "Forbidden"}
        upload_id = str(len(self.uploads))
        fields = {"key": upload_id, "policy": "p", "x-amz-signature": "s"}
        self.uploads.append({"fields": fields, "asked": asked, "polls": 0, "rows": None})
        return 201, {"upload_id": upload_id, "url": f"{self.url}/bucket", "fields": fields, "expires_at": ""}

    def _progress(self, upload: Json) -> Answered:
        rows = upload["rows"]
        upload["polls"] += 1
        if rows is None or upload["polls"] == 1:
            return 200, {"status": "waiting", "rows_found": 0, "rows_done": 0, "report": None}
        if upload["polls"] == 2 or self.is_busy:
            return 200, {"status": "loading", "rows_found": len(rows), "rows_done": 1, "report": None}
        if not rows or "violation_no" not in rows[0]:
            error = said("column_missing", "عمود مطلوب غير موجود", "A required column is missing", "violation_no")
            counts = dict.fromkeys(("rows", "inserted", "updated", "unchanged", "stale", "rejected"), 0)
            report = {"status": "refused", "counts": counts, "error": error, "rejects": None, "warnings": []}
            return 200, {"status": "refused", "rows_found": 0, "rows_done": 0, "report": report}
        good = [row for row in rows if row["plate_governorate"] == "11"]
        for row in good:
            self._load(row, upload["asked"]["origin"])
        counts = {"rows": len(rows), "inserted": len(good), "updated": 0, "unchanged": 0, "stale": 0} | {
            "rejected": len(rows) - len(good)
        }
        unknown = said("governorate_unknown", "المحافظة غير معروفة", "The governorate is unknown", "plate_governorate")
        reason = unknown | {"rows": counts["rejected"], "first_line": 3}
        rejects = {"key": "rejects/live/a.csv", "reasons": [reason]} if counts["rejected"] else None
        report = {"status": "loaded", "counts": counts, "error": None, "rejects": rejects, "warnings": []}
        return 200, {"status": "loaded", "rows_found": len(rows), "rows_done": len(rows), "report": report}

    def _load(self, row: Json, origin: str) -> None:
        amount = int(row["amount"])
        self.violations[row["violation_no"]] = {
            "violation_no": row["violation_no"],
            "plate": plate_view(),
            "code": row["violation_code"],
            "title": row["violation_title"],
            "legal_ref": row["legal_ref"],
            "occurred_at": row["occurred_at"][:10],
            "recorded_at": row["occurred_at"][:10],
            "place": None,
            "sector": {"code": row["sector_code"], "name": row["sector_name"], "governorate": None},
            "base_amount": amount,
            "due": {"amount": amount, "currency": "IQD", "stage": "base"}
            | {"changes_at": baghdad_day(30), "next_amount": 2 * amount},
            "status": "unpaid",
            "paid_at": None,
            "receipt_no": None,
        }
        for phone in self.followers if origin == "live" else ():
            self.send(phone, f"غرامة-أور: مخالفة جديدة لوحة ..345\nالمبلغ {amount:,} دينار")

    def _ask(self, claims: Json, asked: Json) -> Answered:
        plate = asked["plate"]
        if isinstance(plate, str) and "12345" not in plate:
            return problem(422, "plate_unreadable", errors=[{"field": "plate", "message": "رقم اللوحة مطلوب"}])
        if plate == "بغداد B 12345":
            candidates = [plate_view(category=None), plate_view("B", None, "unified")]
            return problem(409, "plate_ambiguous", candidates=candidates)
        if asked["sms"]:
            self.send(claims["phone_number"], "غرامة-أور: لوحة ..345\nعليها مخالفات غير مسددة")
        found = list(self.violations.values()) if plate != plate_view("B", None, "unified") else []
        unpaid, disputed = (
            [violation["due"]["amount"] for violation in found if violation["status"] == status]
            for status in ("unpaid", "disputed")
        )
        return 200, {
            "query_id": "q",
            "plate": plate if isinstance(plate, dict) else plate_view(),
            "as_of": datetime.now(UTC).isoformat(),
            "objections_where": "الاعتراض لدى مديرية المرور",
            "violations": found[:2],
            "totals": {
                "count": len(found),
                "unpaid_count": len(unpaid),
                "amount": sum(unpaid),
                "disputed_count": len(disputed),
                "disputed_amount": sum(disputed),
                "complete": True,
                "currency": "IQD",
            },
            "next_cursor": "next" if len(found) > 2 else None,
            "sms": {"status": "queued" if asked["sms"] else "off", "parts": 1},
        }

    def _pay(self, claims: Json, asked: Json, key: str) -> Answered:
        if key in self.keys:
            return 201, self.payments[self.keys[key]]
        payment_id = self.keys[key] = f"p{len(self.payments)}"
        items = [{"violation_no": no, "amount": self.violations[no]["due"]["amount"]} for no in asked["violations"]]
        amount = sum(item["amount"] for item in items)
        order = {
            "reference": payment_id,
            "amount": amount,
            "currency": "IQD",
            "description": f"مخالفات مرورية: {len(items)}",
            "callback_url": f"{self.front}/v1/callbacks/sandbox",
            "return_url": asked["return_url"],
            "expires_at": (datetime.now(UTC) + timedelta(minutes=15)).isoformat(),
        }
        request = urllib.request.Request(  # noqa: S310
            f"{self.front}/_local/gateway/v1/payments",
            json.dumps(order).encode(),
            {"Authorization": f"Bearer {SECRET['api_key']}"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            redirect_url = json.loads(response.read())["pay_url"]
        payment = {"payment_id": payment_id, "status": "pending", "amount": amount, "currency": "IQD", "items": items}
        self.payments[payment_id] = payment | {
            "redirect_url": redirect_url,
            "phone": claims["phone_number"],
            "paid_at": None,
            "receipt_no": None,
        }
        return 201, self.payments[payment_id]

    def _called_back(self, callback: Json) -> Answered:
        payment = self.payments[callback["reference"]]
        payment["status"] = callback["status"]
        if callback["status"] == "paid":
            payment |= {"paid_at": datetime.now(UTC).isoformat(), "receipt_no": "GH-7K3M9QXW4TR2D"}
            for item in payment["items"]:
                self.violations[item["violation_no"]] |= {
                    "status": "paid",
                    "due": None,
                    "paid_at": baghdad_day(0),
                    "receipt_no": payment["receipt_no"],
                }
            text = f"غرامة-أور: تم تسديد {payment['amount']:,} دينار لوحة ..345\nوصل {payment['receipt_no']}"
            self.send(payment["phone"], text)
        return 200, {}


def claims_of(authorization: str) -> Json | None:
    found = re.fullmatch(r"Bearer [\w-]+\.([\w-]+)\.[\w-]+", authorization)
    return dict(json.loads(base64.urlsafe_b64decode(found[1] + "=="))) if found else None


def _handler(cloud: FakeCloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/bucket":
                if self.command == "POST":
                    cloud.store(self.headers["Content-Type"], body)
                self.reply(204, b"", {"Access-Control-Allow-Origin": self.headers["Origin"]})
            else:
                status, value = cloud.answer(self.command, self.path, self.headers, body)
                self.reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_OPTIONS = serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler
