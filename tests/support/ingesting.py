"""The ingest path in one process over the local engine: what a test drops is received, cut, loaded and reported."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import boto3

from infra.local.config import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from ingest import load_chunk, on_file
from ingest.chunking import RULES, Chunk
from ingest.ending import EndingPorts
from ingest.foreseeing import Audience, audience
from ingest.format.origins import REGISTRY
from ingest.held_news import Brake
from ingest.moving import Moves
from ingest.objects import Objects
from shared.aws_json import Call
from shared.clock import now
from shared.domain.file import FileVersion
from shared.plate_crypto import PlateCrypto
from shared.stores.files import Files
from shared.stores.messaging.messages import Messages
from shared.stores.people.citizens import Citizens
from shared.stores.registry import Registry
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables

COLUMNS = (
    "violation_no",
    "plate_family",
    "plate_governorate",
    "plate_category",
    "plate_letter",
    "plate_number",
    "violation_code",
    "amount",
    "occurred_at",
    "recorded_at",
    "sector_code",
    "status",
    "updated_at",
)

_NUMBERS = itertools.count(1)
_CRYPTO = PlateCrypto(b"key of the test")


def ago(days: float) -> str:
    return (now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")


def row(violation_no: str = "", **cells: str) -> dict[str, str]:
    """A good row: an open violation of yesterday on a German plate."""
    return {
        "violation_no": violation_no or f"R-{next(_NUMBERS)}",
        "plate_family": "german",
        "plate_governorate": "بغداد",
        "plate_category": "خصوصي",
        "plate_letter": "ز",
        "plate_number": "12345",
        "violation_code": "101",
        "amount": "50000",
        "occurred_at": ago(1.5),
        "recorded_at": ago(1),
        "sector_code": "BG-7",
        "status": "open",
        "updated_at": ago(1),
        **cells,
    }


def text(rows: Iterable[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


class Ingest:
    """The ingest path over tables and a bucket. call, s3: ports that a test may break; queued: chunks on the queue.

    encoding, rules, max_news, max_moved: the stack's parameters. told: reports that the operator was told of.
    walks: how often cards were to be walked. lay_guide: puts the guide beside the reports.
    """

    def __init__(self, engine: Engine, tables: Tables) -> None:
        self.engine = engine
        self.tables = tables
        self.bucket = f"uploads-{tables['Files'].lower()}"
        self.s3: Any = boto3.client(
            "s3",
            endpoint_url=engine.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )
        self.call: Call = engine.fast()
        self.encoding = "utf-8"
        self.rules = RULES
        self.max_news = 30_000
        self.max_moved = 1_000
        self.told: list[dict[str, Any]] = []
        self.walks = 0
        self.queued: list[tuple[str, Chunk]] = []
        self.seconds_left: Callable[[], float] = lambda: 60.0
        self.lay_guide: Callable[[], None] = lambda: None
        self._waited = timedelta()
        self._events = itertools.count(0x1000)
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def put(self, key: str, content: bytes, **options: Any) -> str:
        """Drop a file; returns S3's notification of it."""
        version_id = self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, **options)["VersionId"]
        return self.notification(key, version_id)

    def put_at(self, came: datetime, key: str, content: bytes, **options: Any) -> str:
        """Drop a file that came at a moment of its own."""
        message = self.put(key, content, **options)
        (version,) = on_file.versions(message)
        get = self.s3.get_object

        def dated(**request: Any) -> Any:
            response = get(**request)
            return {**response, "LastModified": came} if request.get("VersionId") == version.version_id else response

        self.s3.get_object = dated
        return message

    def take_at(self, came: datetime, key: str, content: bytes, **options: Any) -> dict[str, Any]:
        """Drop a file that came at a moment of its own and bring it to its end; returns its report."""
        version = self.receive(self.put_at(came, key, content, **options))
        self.load_all()
        return self.report(version)

    def notification(self, key: str, version_id: str) -> str:
        """S3's notification of a version, as it lies on the queue."""
        stored = {"key": quote_plus(key, safe="/"), "versionId": version_id, "sequencer": f"{next(self._events):X}"}
        return json.dumps({"Records": [{"s3": {"bucket": {"name": self.bucket}, "object": stored}}]})

    def delete(self, message: str) -> None:
        """Delete for good the version that a notification tells of."""
        (version,) = on_file.versions(message)
        self.s3.delete_object(Bucket=self.bucket, Key=version.key, VersionId=version.version_id)

    def clock(self) -> datetime:
        return now() + self._waited

    def wait(self, seconds: int) -> None:
        self._waited += timedelta(seconds=seconds)

    def later(self, seconds: int) -> datetime:
        return self.clock() + timedelta(seconds=seconds)

    def receive(self, message: str) -> FileVersion:
        """What on_file does with a notification of one file."""
        (version,) = on_file.versions(message)
        ports = on_file.Ports(self.ending_ports(), self._queue, self.clock, self.encoding, self.rules)
        on_file.receive(version, ports)
        return version

    def load(self, file_id: str, chunk: Chunk) -> dict[str, int]:
        """What load_chunk does with a message."""
        ports = load_chunk.Ports(
            self.ending_ports(),
            self._store,
            self.clock,
            self.seconds_left,
            timedelta(days=45),
            lambda news: self.audience()(news),
            brake=Brake(self._violations, self.max_news),
            moves=Moves(self.registry, self.max_moved),
        )
        return load_chunk.load(file_id, chunk, ports)

    def load_all(self) -> None:
        while self.queued:
            self.load(*self.queued.pop(0))

    def take(self, key: str, content: bytes, **options: Any) -> dict[str, Any]:
        """Drop a file and bring it to its end; returns its report."""
        version = self.receive(self.put(key, content, **options))
        self.load_all()
        return self.report(version)

    def report(self, version: FileVersion) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.read(f"reports/{version.key}.{version.version_id}.json"))
        return report

    def read(self, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def rejected(self, key: str) -> list[dict[str, str]]:
        """The rows of a rejects file."""
        return list(csv.DictReader(io.StringIO(self.read(f"rejects/{key}").decode("utf-8-sig"))))

    def objects(self) -> list[tuple[str, str]]:
        """Every object version that was ever written."""
        versions = self.s3.list_object_versions(Bucket=self.bucket)["Versions"]
        return [(version["Key"], version["VersionId"]) for version in versions]

    def before_put(self, key: str, meanwhile: Callable[[], None]) -> None:
        """Let something happen just before the next object of a key is written."""
        put = self.s3.put_object

        def interrupted(**request: Any) -> Any:
            if request["Key"] == key:
                self.s3.put_object = put
                meanwhile()
            return put(**request)

        self.s3.put_object = interrupted

    def violations(self) -> dict[str, dict[str, Any]]:
        return {item["pk"]["S"]: item for item in self.tables.items("Violations")}

    def files(self) -> Files:
        return Files(self.call, self.tables["Files"])

    def registry(self) -> Registry:
        return Registry(self.call, self.tables["Registry"], _CRYPTO, sleep=lambda _: None)

    def citizens(self) -> Citizens:
        return Citizens(self.call, self.tables["Citizens"])

    def messages(self) -> Messages:
        return Messages(self.call, self.tables["Messages"])

    def audience(self) -> Audience:
        return audience([self.call], self.tables["Citizens"], self.tables["Messages"], _CRYPTO)

    def _store(self, origin: str) -> load_chunk.Store:
        if origin == REGISTRY:
            return self.registry()
        return self._violations()

    def _violations(self) -> Violations:
        return Violations(self.call, self.tables["Violations"], sleep=lambda _: None)

    def ending_ports(self) -> EndingPorts:
        objects = Objects(self.s3, self.bucket)
        return EndingPorts(self.files(), objects, self.told.append, self.lay_guide, self._walk)

    def _walk(self) -> None:
        self.walks += 1

    def _queue(self, file_id: str, chunks: Sequence[Chunk]) -> None:
        self.queued += [(file_id, chunk) for chunk in chunks]
