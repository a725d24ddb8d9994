"""The directorate's API: preparing an upload, and watching what becomes of it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import cache
from typing import Any, Final

import orjson

from shared.aws_json import sdk
from shared.clock import now
from shared.domain.time import to_text
from shared.http import Event, FieldError, Handler, Problem, Reply, Request, answer, router
from shared.identity import DIRECTORATE, Citizen, citizen
from shared.settings import setting
from shared.stores.files import CHECKING, LOADING, Files, Upload

ORIGINS: Final = ("live", "backlog")
FORMATS: Final = ("csv",)
ENCODINGS: Final = ("utf-8",)
LARGEST: Final = 5 * 1024**3  # bytes; what S3 takes in one POST
VALID_FOR: Final = timedelta(minutes=15)


@cache
def _files() -> Files:
    return Files(sdk(), setting("FILES_TABLE"))


@cache
def _s3() -> Any:
    import boto3
    from botocore.config import Config

    # The bucket's regional address: the global one redirects, and a browser does not follow that with a POST.
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


def start(request: Request) -> Reply:
    """POST /v1/uploads"""
    clerk = _clerk(request)
    origin, size = _asked(request.json())
    at = now()
    upload_id = secrets.token_hex(16)
    upload = Upload(upload_id, clerk.sub, setting("UPLOADS_BUCKET"), f"{origin}/{at:%Y-%m-%d}/{upload_id}.csv")
    _files().put_upload(upload, at)
    form = _s3().generate_presigned_post(
        upload.bucket,
        upload.key,
        Conditions=[["content-length-range", 1, size]],
        ExpiresIn=int(VALID_FOR.total_seconds()),
    )
    expires_at = to_text(at + VALID_FOR)
    return answer(201, {"upload_id": upload_id, "url": form["url"], "fields": form["fields"], "expires_at": expires_at})


def _asked(body: dict[str, Any]) -> tuple[str, int]:
    """The origin and size of a good request. Raises Problem naming every field that is wrong."""
    errors = [
        FieldError(field, "missing" if body.get(field) is None else "wrong_value")
        for field, allowed in (("origin", ORIGINS), ("format", FORMATS), ("encoding", ENCODINGS))
        if body.get(field) not in allowed
    ]
    size = body.get("size")
    if size is None:
        errors.append(FieldError("size", "missing"))
    elif not isinstance(size, int) or isinstance(size, bool):
        errors.append(FieldError("size", "wrong_type"))
    elif size < 1:
        errors.append(FieldError("size", "wrong_value"))
    elif size > LARGEST:
        errors.append(FieldError("size", "too_large"))
    if errors:
        raise Problem(422, "invalid_input", *errors)
    return body["origin"], body["size"]


def watch(request: Request) -> Reply:
    """GET /v1/uploads/{upload_id}"""
    clerk = _clerk(request)
    upload = _files().upload(request.path["upload_id"])
    if upload is None or upload.sub != clerk.sub:
        raise Problem(404, "no_such_upload")
    return answer(200, {"upload_id": upload.upload_id, **_progress(upload)})


def _progress(upload: Upload) -> dict[str, Any]:
    file_id = _files().newest(upload.bucket, upload.key)
    if file_id is None:
        return {"status": "waiting", "rows_found": 0, "rows_done": 0, "report": None}
    file = _files().file(file_id)
    return {
        "status": LOADING if file.state == CHECKING else file.state,
        "rows_found": file.plan.rows if file.plan else 0,
        "rows_done": file.rows_done,
        "report": orjson.loads(file.report) if file.report else None,
    }


def _clerk(request: Request) -> Citizen:
    clerk = citizen(request.event)
    if DIRECTORATE not in clerk.scopes:
        raise Problem(403, "scope_missing")
    return clerk


@cache
def _app() -> Handler:
    return router({"POST /v1/uploads": start, "GET /v1/uploads/{upload_id}": watch})


def handler(event: Event, context: object) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
