"""Every function runs under its own role of template.yaml, and the role is enforced."""

from __future__ import annotations

import secrets

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


def test_a_function_is_denied_the_table_that_it_must_not_write(cloud: Cloud) -> None:
    assert cloud.stack is not None
    role = cloud.function("query.api.handler")["Role"]
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


def test_whoever_drops_the_directorates_files_can_put_nothing_elsewhere(cloud: Cloud) -> None:
    assert cloud.stack is not None
    stack = cloud.aws("cloudformation").describe_stacks(StackName="gharama")["Stacks"][0]
    policy = next(one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "DirectoratePolicyArn")
    iam, name = cloud.aws("iam"), f"directorate-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    s3 = boto3.client(
        "s3",
        endpoint_url=cloud.stack["aws_endpoint"],
        region_name=cloud.stack["region"],
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    bucket = cloud.stack["upload_bucket"]
    for folder in ("live", "backlog", "registry"):
        s3.put_object(Bucket=bucket, Key=f"{folder}/{name}.csv", Body=b"")
    wait_for(lambda: cloud.read_object(f"reports/live/{name}.csv.json"), 60, "the report")
    assert s3.get_object(Bucket=bucket, Key=f"reports/live/{name}.csv.json")["Body"].read()

    for forbidden in ("reports/live/a.csv.json", "rejects/live/a.csv", "chunks/a", "elsewhere/a.csv", "a.csv"):
        with pytest.raises(ClientError) as denied:
            s3.put_object(Bucket=bucket, Key=forbidden, Body=b"forged")
        assert denied.value.response["Error"]["Code"] == "AccessDenied"
    with pytest.raises(ClientError):
        s3.get_object(Bucket=bucket, Key=f"live/{name}.csv")
