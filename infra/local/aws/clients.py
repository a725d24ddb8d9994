"""AWS clients that speak to the emulator."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config as ClientConfig
from botocore.credentials import Credentials, RefreshableCredentials

from infra.local.config import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY


class Clients:
    """One client of each service, made when first asked for."""

    def __init__(self, endpoint: str, credentials: Credentials) -> None:
        session = botocore.session.Session()
        session._credentials = credentials  # botocore has no public way to hand over credentials that refresh
        self._session = boto3.Session(botocore_session=session, region_name=REGION)
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, service: str) -> Any:
        # A client may be shared by threads; making one may not be done by two at once.
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self._endpoint, config=ClientConfig(max_pool_connections=32)
                )
            return self._clients[service]

    def close(self) -> None:
        """End their connections, which the emulator would wait for when it stops."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()


def root_credentials() -> Credentials:
    """Those of the local account's owner, who may do everything."""
    return Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)


def role_credentials(assume: Callable[[], Mapping[str, Any]]) -> Credentials:
    """Credentials that `assume` (the answer of AssumeRole) gives anew before they expire."""

    def fresh() -> dict[str, str]:
        given = assume()
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    credentials: Credentials = RefreshableCredentials.create_from_metadata(fresh(), fresh, "assume-role")
    return credentials
