"""The directorate's API: preparing an upload, and watching what becomes of it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

import orjson

from ingest.errors import FileError
from ingest.format.accepting import is_acceptance
from ingest.format.instant import declared_instant
from ingest.format.origins import ORIGINS
from shared.aws_json import sdk
from shared.clock import now
from shared.domain.file import CHECK, FileStatus, Upload
from shared.domain.time import to_text
from shared.edge import admission
from shared.http import Event, FieldError, Handler, Problem, Reply, Request, answer, router
from shared.identity import staff
from shared.settings import setting
from shared.stores.files import Files

FORMATS: Final = {"csv": 5 * 1024**3, "csv.gz": 5 * 1024**3, "xlsx": 200 * 1024**2}
"""The largest file of each format in bytes. S3 takes no more than 5 GB in one POST."""

ENCODINGS: Final = ("utf-8", "windows-1256")
MAX_ACCEPTED: Final = 16
"""Columns of one file that may be accepted as they stand; the metadata of an object has a bound."""
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
    clerk = staff(request.event)
    at = now()
    asked = _asked(request.json(), at)
    upload_id = secrets.token_hex(16)
    folder = f"{CHECK}/{asked.origin}" if asked.check else asked.origin
    key = f"{folder}/{at:%Y-%m-%d}/{upload_id}.{asked.format}"
    upload = Upload(upload_id, clerk.sub, setting("UPLOADS_BUCKET"), key)
    declared = {"x-amz-meta-encoding": asked.encoding}
    if asked.accept:
        declared["x-amz-meta-accept"] = ",".join(asked.accept)
    if asked.as_of:
        declared["x-amz-meta-as-of"] = asked.as_of
    _files().put_upload(upload, at)
    form = _s3().generate_presigned_post(
        upload.bucket,
        upload.key,
        Fields=declared,
        Conditions=[["content-length-range", 1, asked.size], *({name: value} for name, value in declared.items())],
        ExpiresIn=int(VALID_FOR.total_seconds()),
    )
    expires_at = to_text(at + VALID_FOR)
    return answer(201, {"upload_id": upload_id, "url": form["url"], "fields": form["fields"], "expires_at": expires_at})


class _Asked(NamedTuple):
    origin: str
    format: str
    encoding: str
    size: int
    accept: tuple[str, ...]
    as_of: str
    check: bool


def _asked(body: dict[str, Any], at: datetime) -> _Asked:
    """Read what a request asks for. Raises Problem naming every field that is wrong."""
    choices: dict[str, Collection[str]] = {"origin": ORIGINS, "format": FORMATS, "encoding": ENCODINGS}
    errors = [
        FieldError(field, "missing" if body.get(field) is None else "wrong_value")
        for field, allowed in choices.items()
        if not isinstance(body.get(field), str) or body[field] not in allowed
    ]
    size = body.get("size")
    if size is None:
        errors.append(FieldError("size", "missing"))
    elif not isinstance(size, int) or isinstance(size, bool):
        errors.append(FieldError("size", "wrong_type"))
    elif size < 1:
        errors.append(FieldError("size", "wrong_value"))
    elif size > FORMATS.get(str(body.get("format")), max(FORMATS.values())):
        errors.append(FieldError("size", "too_large"))
    accept = body.get("accept", [])
    if not isinstance(accept, list):
        errors.append(FieldError("accept", "wrong_type"))
    elif len(accept) > MAX_ACCEPTED:
        errors.append(FieldError("accept", "too_many"))
    elif not all(isinstance(each, str) and is_acceptance(each) for each in accept):
        errors.append(FieldError("accept", "wrong_value"))
    check = body.get("check", False)
    if not isinstance(check, bool):
        errors.append(FieldError("check", "wrong_type"))
    as_of = ""
    try:
        as_of = declared_instant(_text(body.get("as_of")), to_text(at))
    except (TypeError, FileError):
        errors.append(FieldError("as_of", "wrong_value"))
    if errors:
        raise Problem(422, "invalid_input", *errors)
    return _Asked(body["origin"], body["format"], body["encoding"], body["size"], tuple(accept), as_of, check)


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(value)
    return value


def watch(request: Request) -> Reply:
    """GET /v1/uploads/{upload_id}"""
    clerk = staff(request.event)
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
        "status": FileStatus.LOADING if file.state == FileStatus.CHECKING else file.state,
        "rows_found": file.plan.rows if file.plan else 0,
        "rows_done": file.rows_done,
        "report": orjson.loads(file.report) if file.report else None,
    }


@cache
def _app() -> Handler:
    return router({"POST /v1/uploads": start, "GET /v1/uploads/{upload_id}": watch}, admission())


def handler(event: Event, context: object) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
