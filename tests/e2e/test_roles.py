"""Every function runs under its own role of template.yaml, and the role is enforced."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.e2e.cloud import Cloud

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


def test_a_function_is_denied_the_table_that_it_must_not_write(cloud: Cloud) -> None:
    assert cloud.stack is not None
    functions = cloud.aws("lambda").list_functions()["Functions"]
    role = next(one["Role"] for one in functions if one["Handler"] == "query.api.handler")
    credentials = cloud.aws("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    as_query_api = boto3.client(
        "dynamodb",
        endpoint_url=cloud.stack["aws_endpoint"],
        region_name=cloud.stack["region"],
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    item = {"pk": {"S": "forged"}, "sk": {"S": "forged"}}
    as_query_api.put_item(TableName=cloud.stack["tables"]["Citizens"], Item=item)  # its own table: allowed

    for forbidden in ("Violations", "Payments", "Files"):
        with pytest.raises(ClientError) as denied:
            as_query_api.put_item(TableName=cloud.stack["tables"][forbidden], Item=item)
        assert denied.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
