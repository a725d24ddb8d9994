"""An account that is not fresh, by answers made from AWS's documents and held to the SDK's models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as operator
from infra.operator.deployment import Deployment
from infra.operator.preflight import commands, occupied, quotas, regional
from infra.operator.preflight.account import Account
from infra.operator.preflight.lines import LOOK, OK, STOP, Line
from infra.operator.preflight.settings import Settings, of_stack
from shared.clock import now
from tests.support.aws import Engine
from tests.support.stubbed import ACCOUNT, REGION, Answers

STACK = "gharama-prod"
PROD = of_stack(STACK)
DEV = of_stack("gharama-dev")
FAILURE = f"sns/{REGION}/{ACCOUNT}/DirectPublishToPhoneNumber/Failure"
UPLOADS = f"{STACK}-uploads-{ACCOUNT}-{REGION}"


@pytest.fixture
def aws() -> Iterator[Answers]:
    answers = Answers()
    yield answers
    answers.all_asked()


def account(aws: Answers, chosen: Settings = PROD, **parameters: str) -> Account:
    chosen = chosen._replace(parameters={**chosen.parameters, **parameters})
    return Account(Deployment(chosen.stack, aws, clock=now), chosen)


def one(lines: Any) -> Line:
    (line,) = lines
    assert isinstance(line, Line)
    return line


def in_state(aws: Answers, state: str | None, stack: str = STACK) -> None:
    if state is None:
        aws.refuse("cloudformation", "describe_stacks", "ValidationError", StackName=stack)
        return
    described = {"StackName": stack, "StackStatus": state, "CreationTime": now()}
    aws.add("cloudformation", "describe_stacks", {"Stacks": [described]}, StackName=stack)


# ---------------------------------------------------------------- the stack


@pytest.mark.parametrize(
    ("state", "found", "way_out"),
    [
        (None, OK, ""),
        ("REVIEW_IN_PROGRESS", OK, ""),
        ("CREATE_COMPLETE", OK, ""),
        ("UPDATE_ROLLBACK_COMPLETE", OK, ""),
        ("ROLLBACK_COMPLETE", STOP, "make remove-leftovers ENV=prod"),
        ("UPDATE_IN_PROGRESS", STOP, "wait"),
        ("UPDATE_ROLLBACK_FAILED", STOP, "continue-update-rollback"),
        ("DELETE_FAILED", STOP, "events"),
    ],
)
def test_a_stack_that_takes_no_deployment_stops_one(aws: Answers, state: str, found: str, way_out: str) -> None:
    in_state(aws, state)
    line = one(occupied.stack(account(aws)))
    assert line.state == found
    assert way_out in line.way_out


# ---------------------------------------------------------------- names


def test_all_names_that_the_template_gives_are_known(aws: Answers) -> None:
    aws.add("sts", "get_caller_identity", {"Account": ACCOUNT})
    found = occupied.fixed_names(account(aws, CopyRegion="eu-west-1"))
    assert {name: given for name, (_, given) in found.items()} == {
        "ApiLogs": f"/aws/vendedlogs/{STACK}/api",
        "Uploads": UPLOADS,
        "SmsDelivered": FAILURE.removesuffix("/Failure"),
        "SmsUndelivered": FAILURE,
        "RolloutBeforeTraffic": f"CodeDeployHook_{STACK}",
        "CopyVault": STACK,
    }


def group(name: str) -> dict[str, Any]:
    return {"logGroups": [{"logGroupName": name}] if name else []}


def test_names_that_others_have_stop_a_first_deployment(aws: Answers) -> None:
    in_state(aws, None)
    aws.add("sts", "get_caller_identity", {"Account": ACCOUNT})
    # Another stack's group, whose name only begins so; SNS's, from when logging was on; a bucket of a deleted stack.
    api = f"/aws/vendedlogs/{STACK}/api"
    aws.add("logs", "describe_log_groups", group(f"{api}-2"), logGroupNamePrefix=api)
    aws.add("s3", "head_bucket", {}, Bucket=UPLOADS)
    delivered = FAILURE.removesuffix("/Failure")
    aws.add("logs", "describe_log_groups", group(delivered), logGroupNamePrefix=delivered)
    aws.add("logs", "describe_log_groups", group(FAILURE), logGroupNamePrefix=FAILURE)
    aws.refuse("lambda", "get_function", "ResourceNotFoundException", FunctionName=f"CodeDeployHook_{STACK}")
    found = {line.what: line for line in occupied.names(account(aws))}
    assert {what.removeprefix("name ") for what, line in found.items() if line.state == STOP} == {
        "Uploads",
        "SmsDelivered",
        "SmsUndelivered",
    }
    assert "make adopt" in found["name Uploads"].way_out
    assert "SmsDeliveryLogs=off" in found["name SmsDelivered"].way_out
    assert f"delete-log-group --log-group-name {FAILURE}" in found["name SmsUndelivered"].way_out


def test_names_of_the_stack_itself_do_not(aws: Answers) -> None:
    in_state(aws, "UPDATE_COMPLETE")
    aws.add("sts", "get_caller_identity", {"Account": ACCOUNT})
    own = {"Uploads": UPLOADS, "ApiLogs": f"/aws/vendedlogs/{STACK}/api", "Hook": f"CodeDeployHook_{STACK}"}
    kept = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": physical,
            "ResourceType": "AWS::X::Y",
            "LastUpdatedTimestamp": now(),
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for name, physical in own.items()
    ]
    aws.add("cloudformation", "list_stack_resources", {"StackResourceSummaries": kept}, StackName=STACK)
    assert {line.state for line in occupied.names(account(aws, SmsDeliveryLogs="off"))} == {OK}


def test_a_bucket_of_another_account_is_in_the_way_too(aws: Answers) -> None:
    in_state(aws, None)
    aws.add("sts", "get_caller_identity", {"Account": ACCOUNT})
    api = f"/aws/vendedlogs/{STACK}/api"
    aws.add("logs", "describe_log_groups", group(""), logGroupNamePrefix=api)
    aws.refuse("s3", "head_bucket", "403", Bucket=UPLOADS)
    aws.refuse("lambda", "get_function", "ResourceNotFoundException", FunctionName=f"CodeDeployHook_{STACK}")
    vaults = {"BackupVaultList": [{"BackupVaultName": "Default"}, {"BackupVaultName": STACK}]}
    aws.add("backup", "list_backup_vaults", vaults)
    found = list(occupied.names(account(aws, SmsDeliveryLogs="off", CopyRegion="eu-west-1")))
    assert {line.what for line in found if line.state == STOP} == {"name Uploads", "name CopyVault"}


# ---------------------------------------------------------------- the policy of log delivery


def policy(*groups: str) -> str:
    resources = [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{one}:log-stream:*" for one in groups]
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": resources}]})


FULL = policy(*(f"api-with-a-generated-name-{number:02}" for number in range(52)))


@pytest.mark.parametrize(
    ("policies", "state"),
    [
        ({}, OK),
        ({occupied.DELIVERY_POLICY: policy("one")}, OK),
        ({occupied.DELIVERY_POLICY: FULL[: occupied.MAX_POLICY // 2 + 1]}, LOOK),
        ({occupied.DELIVERY_POLICY: FULL}, STOP),
        ({occupied.DELIVERY_POLICY: FULL.replace("api-with-a-generated-name-00", "/aws/vendedlogs/*")}, OK),
        ({f"service-{number}": policy("x") for number in range(occupied.MAX_POLICIES)}, STOP),
        ({f"service-{number}": policy("x") for number in range(occupied.MAX_POLICIES - 1)}, OK),
    ],
)
def test_a_policy_without_room_stops(aws: Answers, policies: dict[str, str], state: str) -> None:
    assert len(FULL) <= occupied.MAX_POLICY
    listed = [{"policyName": name, "policyDocument": document} for name, document in policies.items()]
    aws.add("logs", "describe_resource_policies", {"resourcePolicies": listed})
    assert one(occupied.log_policy(account(aws))).state == state


# ---------------------------------------------------------------- quotas


def limits(aws: Answers, quota: int, free: int) -> None:
    aws.add(
        "lambda",
        "get_account_settings",
        {"AccountLimit": {"ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": free}},
    )


@pytest.mark.parametrize(
    ("quota", "free", "chosen", "state"),
    [
        (1_000, 1_000, PROD, OK),
        (1_000, 400, PROD, LOOK),
        (10, 10, PROD, STOP),
        (1_000, 40, PROD, STOP),
        (10, 10, DEV, LOOK),
    ],
)
def test_concurrency_that_others_take(aws: Answers, quota: int, free: int, chosen: Settings, state: str) -> None:
    limits(aws, quota, free)
    line = one(quotas.concurrency(account(aws, chosen)))
    assert line.state == state
    assert f"{quota:,} runs" in line.why


def test_what_a_phase_adds_takes_concurrency_too() -> None:
    first, second = (PROD._replace(parameters={**PROD.parameters, "Phase": phase}) for phase in ("1", "2"))
    at_first, later = quotas.taken(first.holds()), quotas.taken(second.holds())
    assert later.keys() - at_first.keys() == {"NotifyOnViolation", "NotifyRemind"}
    assert at_first["IngestLoadChunk"] == 14
    assert later["NotifyOnViolation"] == 4 * quotas.SHARDS


def sms(aws: Answers, *, sandbox: bool, limit: str | None, quota: int, registered: bool | None) -> None:
    aws.add("sns", "get_sms_sandbox_account_status", {"IsInSandbox": sandbox})
    attributes = {} if limit is None else {"MonthlySpendLimit": limit}
    aws.add("sns", "get_sms_attributes", {"attributes": attributes}, attributes=["MonthlySpendLimit"])
    name = "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT"
    spend = {"Name": name, "EnforcedLimit": 1, "MaxLimit": quota, "Overridden": True}
    aws.add("pinpoint-sms-voice-v2", "describe_spend_limits", {"SpendLimits": [spend]})
    sender = {
        "SenderIdArn": f"arn:aws:sms-voice:{REGION}:{ACCOUNT}:sender-id/Gharama/IQ",
        "SenderId": "Gharama",
        "IsoCountryCode": "IQ",
        "MessageTypes": ["TRANSACTIONAL"],
        "MonthlyLeasingPrice": "0.00",
        "DeletionProtectionEnabled": False,
        "Registered": bool(registered),
    }
    senders = {"SenderIds": [] if registered is None else [sender]}
    aws.add("pinpoint-sms-voice-v2", "describe_sender_ids", senders)


def of_sms(chosen: Account) -> Iterator[Line]:
    for check in (quotas.sandbox, quotas.spend, quotas.sender):
        yield from check(chosen)


@pytest.mark.parametrize(
    ("phase", "chosen", "state"), [("1", PROD, LOOK), ("2", PROD, STOP), ("3", PROD, STOP), ("3", DEV, LOOK)]
)
def test_a_fresh_account_sends_no_sms(aws: Answers, phase: str, chosen: Settings, state: str) -> None:
    sms(aws, sandbox=True, limit=None, quota=1, registered=None)
    found = {line.what: line for line in of_sms(account(aws, chosen, Phase=phase))}
    assert (found["SMS sandbox"].state, found["SMS spend"].state) == (state, state)
    assert found["SMS sender"].state == LOOK
    assert "higher spend quota" in found["SMS spend"].way_out


@pytest.mark.parametrize(("limit", "state"), [("1", STOP), ("100000", OK)])
def test_an_account_that_may_send(aws: Answers, limit: str, state: str) -> None:
    sms(aws, sandbox=False, limit=limit, quota=100_000, registered=True)
    found = {line.what: line for line in of_sms(account(aws, Phase="2"))}
    assert (found["SMS sandbox"].state, found["SMS spend"].state, found["SMS sender"].state) == (OK, state, OK)
    assert state == OK or found["SMS spend"].way_out.startswith("aws sns set-sms-attributes")


# ---------------------------------------------------------------- the Region


def test_a_region_without_a_type_stops(aws: Answers) -> None:
    chosen = account(aws, BudgetEmail="operator@gov.iq")
    known = regional.types(chosen.settings)
    assert "AWS::Budgets::Budget" in known
    for kind in known:
        asked = {"Type": "RESOURCE", "TypeName": kind}
        if kind == "AWS::Budgets::Budget":
            aws.refuse("cloudformation", "describe_type", "TypeNotFoundException", **asked)
        else:
            aws.add("cloudformation", "describe_type", {"TypeName": kind}, **asked)
    found = {line.what: line for line in regional.features(chosen)}
    assert found["Region"].state == STOP
    assert found["Region"].why.endswith("has no AWS::Budgets::Budget")
    assert found["SMS Region"].state == OK


def test_a_region_without_sms_stops_production(aws: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regional, "types", lambda _: [])
    states = [
        [line.state for line in regional.features(account(aws, chosen._replace(region="iq-baghdad-1")))]
        for chosen in (PROD, DEV)
    ]
    assert states == [[OK, STOP], [OK, LOOK]]


@pytest.mark.parametrize(("copy", "state"), [("", LOOK), ("eu-west-1", OK), (PROD.region, STOP)])
def test_copies_lie_elsewhere(aws: Answers, copy: str, state: str) -> None:
    assert one(regional.copies(account(aws, CopyRegion=copy))).state == state


# ---------------------------------------------------------------- all of it


def test_a_used_account_is_told_all_that_stops_it(aws: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = (occupied.stack, occupied.log_policy, quotas.concurrency, quotas.sandbox)
    monkeypatch.setattr(commands, "CHECKS", checks)
    monkeypatch.setattr(operator, "Deployment", lambda stack, clock: Deployment(stack, aws, clock=clock))
    in_state(aws, "ROLLBACK_COMPLETE")
    listed = [{"policyName": occupied.DELIVERY_POLICY, "policyDocument": FULL}]
    aws.add("logs", "describe_resource_policies", {"resourcePolicies": listed})
    limits(aws, 10, 10)
    aws.refuse("sns", "get_sms_sandbox_account_status", "AuthorizationError")
    result = CliRunner().invoke(operator.app, ["--stack", STACK, "preflight"])
    assert result.exit_code == 1, result.output
    starts = [line.split(":")[0] for line in result.output.splitlines() if not line.startswith(" ")]
    assert starts == ["stop  stack", "stop  log policy", "stop  concurrency", "look  quotas sandbox", "Error"]
    assert "AuthorizationError" in result.output
    assert "3 of these stop gharama-prod" in result.output
    assert "To be signed" not in result.output


def test_an_account_that_takes_it_gets_the_page(aws: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "CHECKS", (occupied.stack,))
    monkeypatch.setattr(operator, "Deployment", lambda stack, clock: Deployment(stack, aws, clock=clock))
    in_state(aws, None)
    result = CliRunner().invoke(operator.app, ["--stack", STACK, "preflight"])
    assert result.exit_code == 0, result.output
    assert "To be signed before gharama-prod is deployed" in result.output


def test_a_stack_that_samconfig_does_not_name_is_refused(aws: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator, "Deployment", lambda stack, clock: Deployment(stack, aws, clock=clock))
    result = CliRunner().invoke(operator.app, ["--stack", "gharama", "preflight"])
    assert (result.exit_code, result.output) == (1, "Error: samconfig.toml has no environment of the stack gharama\n")


def test_the_local_emulator_is_asked_too(engine: Engine) -> None:
    def client(service: str) -> Any:
        return engine.session.client(service, endpoint_url=engine.endpoint)

    def silent(address: str) -> tuple[int, bytes]:
        raise OSError(address)

    dev = DEV._replace(parameters={**DEV.parameters, "JwtIssuer": "https://sign-in.gov.iq"})
    here = Account(Deployment(DEV.stack, client, clock=now), dev, silent)
    fresh = {line.what: line.state for line in commands.lines(here)}
    assert {what for what, state in fresh.items() if state == STOP} == {"issuer"}
    unknown_to_it = {"regional features", "quotas sandbox", "quotas spend", "quotas sender"}
    assert {what for what, state in fresh.items() if state == LOOK} <= unknown_to_it | {"copies", "concurrency"}
    assert {"stack", "leftovers", "name Uploads", "name SmsDelivered", "log policy"} <= fresh.keys()
    number = client("sts").get_caller_identity()["Account"]
    taken = f"sns/{REGION}/{number}/DirectPublishToPhoneNumber"
    client("logs").create_log_group(logGroupName=taken)
    try:
        assert {line.what for line in occupied.names(here) if line.state == STOP} == {"name SmsDelivered"}
    finally:
        client("logs").delete_log_group(logGroupName=taken)
