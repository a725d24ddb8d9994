"""What citizens and the directorate do all day, as locust's users."""

from __future__ import annotations

import os
import random
import secrets
import time
from pathlib import Path
from typing import Any

import boto3
from locust import HttpUser, between, task

from tests.e2e import files

PLATES = [files.plate_number() for _ in range(60)]


class Citizen(HttpUser):
    """Follows a plate, asks about others, reads, pays."""

    weight = 20
    wait_time = between(0.2, 1.0)

    def on_start(self) -> None:
        body = {"sub": f"ur-{secrets.token_hex(8)}", "phone": files.phone(), "name": "", "scope": ""}
        token = self.client.post("/_local/token", json=body, name="(token)").json()["token"]
        self.client.headers["authorization"] = f"Bearer {token}"
        number = random.choice(PLATES)
        self.plate = f"بغداد ز {number}"
        linked = {"plate": self.plate, "relation": "family", "notify": True}
        self.client.post("/v1/vehicles", json=linked, name="POST /v1/vehicles")
        note("followers", number, body["sub"])

    @task(10)
    def ask(self) -> None:
        self.client.post("/v1/queries", json={"plate": self.plate, "sms": False}, name="POST /v1/queries")

    @task(5)
    def read_vehicles(self) -> None:
        self.client.get("/v1/vehicles", name="GET /v1/vehicles")

    @task(2)
    def read_messages(self) -> None:
        self.client.get("/v1/messages", name="GET /v1/messages")

    @task(3)
    def pay(self) -> None:
        """Pay one of the violations of the plate, as another may at the same moment."""
        vehicles = self.client.get("/v1/vehicles", name="GET /v1/vehicles").json()["items"]
        path = f"/v1/vehicles/{vehicles[0]['vehicle_id']}/violations"
        listed = self.client.get(path, name="GET /v1/vehicles/{id}/violations").json()["items"]
        unpaid = [violation["violation_no"] for violation in listed if violation["status"] == "unpaid"]
        if not unpaid:
            return
        body = {"violations": unpaid[:1], "gateway": "sandbox", "return_url": f"{self.host}/"}
        headers = {"idempotency-key": secrets.token_hex(8)}
        with self.client.post(
            "/v1/payments", json=body, headers=headers, name="POST /v1/payments", catch_response=True
        ) as answer:
            _expect(answer, 201, 202, 409, 422, 429)  # another holds it, or three are under way
            if answer.status_code not in (201, 202):
                return
            payment_id = answer.json()["payment_id"]
        outcome = random.choices(("pay", "fail"), (9, 1))[0]
        if self.client.post(f"/_local/gateway/{payment_id}/{outcome}", name="(the gateway's page)").ok:
            note("payments", self.plate, payment_id)
        self.client.get(f"/v1/payments/{payment_id}", name="GET /v1/payments/{id}")


class Directorate(HttpUser):
    """Drops a live file of new violations on the followed plates."""

    fixed_count = 1
    wait_time = between(3, 6)

    def on_start(self) -> None:
        stack = self.client.get("/_local/stack", name="(stack)").json()
        self.bucket = stack["upload_bucket"]
        self.s3: Any = boto3.client(
            "s3",
            endpoint_url=stack["aws_endpoint"],
            region_name=stack["region"],
            aws_access_key_id=stack["access_key_id"],
            aws_secret_access_key=stack["secret_access_key"],
        )

    @task
    def upload(self) -> None:
        rows = [files.row(random.choice(PLATES)) for _ in range(50)]
        for row in rows:
            note("rows", row["plate_number"], row["violation_no"])
        self.s3.put_object(Bucket=self.bucket, Key=f"live/load-{secrets.token_hex(6)}.csv", Body=files.csv(rows))


def note(kind: str, plate_number: str, what: str) -> None:
    """Keep what was done with a plate, and when, for those who look whether it came to something."""
    with Path(os.environ["GHARAMA_LOAD_NOTES"], kind).open("a") as notes:
        notes.write(f"{plate_number}\t{what}\t{time.time()}\n")


def _expect(answer: Any, *statuses: int) -> None:
    if answer.status_code in statuses:
        answer.success()
    else:
        answer.failure(f"status {answer.status_code}")
