"""The commands."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import BinaryIO

import click
from botocore.exceptions import BotoCoreError, ClientError

from infra.operator import (
    deciding,
    files,
    pausing,
    registering,
    releasing,
    reopening,
    replay,
    rollback,
    rules,
    trail,
    undoing,
)
from infra.operator.deployment import Deployment
from infra.operator.investigating import find, who_looked
from infra.operator.options import APPLY, KEY, REASON, named, only_said, refusing, say
from infra.operator.preflight.commands import COMMANDS as BEFORE_A_DEPLOYMENT
from infra.operator.recovery.commands import COMMANDS as KEEPING_DATA
from infra.operator.registering import add_plate_key, rekey_registry
from infra.operator.rounds import LEFT
from infra.policies import faults
from shared.aws_json import AwsError
from shared.clock import now
from shared.domain.file import File
from shared.domain.time import BAGHDAD
from shared.policies import rules_of

WHAT = click.argument("what", type=click.Choice(list(pausing.PARTS)))


PAYMENT_ID = click.argument("payment_id", callback=named)


class _Commands(click.Group):
    """Commands whose end is a line and not a trace where AWS refuses or cannot be reached."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError, AwsError) as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Commands)
@click.option("--stack", required=True, envvar="STACK", help="name of the deployed stack")
@click.pass_context
def app(context: click.Context, stack: str) -> None:
    """What the operator does by hand."""
    context.obj = Deployment(stack, clock=now)


app.add_command(who_looked)
app.add_command(find)
app.add_command(add_plate_key)
app.add_command(rekey_registry)
for command in (*BEFORE_A_DEPLOYMENT, *KEEPING_DATA):
    app.add_command(command)


@app.command("replay")
@click.argument("place", required=False)
@click.option("--prefix", default="", help="of the failed records: only objects whose key begins so")
@APPLY
@click.pass_obj
def replay_command(deployment: Deployment, place: str | None, prefix: str, apply: bool) -> None:
    """Give again what lies in PLACE: a queue of dead letters, or FailedRecords. Without PLACE: say where what lies."""
    known = replay.places(deployment)
    if place is None:
        say(f"{name}: {replay.waiting(deployment, name)}" for name in known)
        return
    if place not in known:
        raise click.BadParameter(f"there is no {place}; there are: {', '.join(known)}")
    if not apply:
        click.echo(f"{place}: {replay.waiting(deployment, place)} wait")
        only_said()
        return
    with deployment.audited("replay", place=place, prefix=prefix) as results:
        replayed = replay.replay(deployment, place, prefix)
        results |= {"done": replayed.done, "left": len(replayed.left)}
    click.echo(f"{replayed.done} replayed, {len(replayed.left)} left")
    if (more := replay.waiting(deployment, place) - len(replayed.left)) > 0:
        # Another run holds them, or the function that looks into the dead letters every minute.
        click.echo(f"{more} more lie there, or did a moment ago: look again in two minutes")
    for key, reason in replayed.left:
        click.echo(f"{key}: {reason}", err=True)
    sys.exit(1 if replayed.left else 0)


@app.command()
@KEY
@click.pass_obj
def file_status(deployment: Deployment, key: str) -> None:
    """How the newest version of the file KEY (such as live/today.csv) stands."""
    try:
        say(files.status(deployment, files.newest(deployment, key)))
    except KeyError:
        raise click.ClickException(f"no file of the key {key} came") from None


@app.command()
@PAYMENT_ID
@click.pass_obj
def payment_trail(deployment: Deployment, payment_id: str) -> None:
    """What happened to a payment, in its order."""
    try:
        say(trail.trail(deployment, payment_id))
    except KeyError:
        raise click.ClickException("there is no such payment") from None


@app.command()
@click.pass_obj
def refunds(deployment: Deployment) -> None:
    """The payments of which money is to be given back, or looked at."""
    found = trail.refunds(deployment)
    say(found or ["none"])


@app.command()
@click.argument("decision", type=click.Choice([*deciding.DECISIONS, *deciding.FORMER_WORDS]))
@PAYMENT_ID
@click.option("--lines", default="", help="numbers of violations, with spaces between them")
@REASON
@APPLY
@click.pass_obj
def decide_payment(
    deployment: Deployment, decision: str, payment_id: str, lines: str, reason: str, apply: bool
) -> None:
    """Decide about the money of a payment: what no gateway's answer can."""
    try:
        case = deciding.find(deployment, payment_id, deciding.word(decision), tuple(dict.fromkeys(lines.split())))
        say(deciding.outlook(case, decision))
        if not apply:
            only_said()
            return
        with deployment.audited("decide-payment", decision=decision, payment_id=payment_id, lines=lines, reason=reason):
            deciding.decide(case, decision)
    except KeyError:
        raise click.ClickException("there is no such payment") from None
    except deciding.DecisionError as error:
        raise click.ClickException(str(error)) from None
    say(trail.trail(deployment, payment_id))


@app.command()
@WHAT
@REASON
@APPLY
@click.pass_obj
def pause(deployment: Deployment, what: str, reason: str, apply: bool) -> None:
    """Stop a part at once; nothing is lost. Of ingest it says what is still under way: again once that has ended."""
    click.echo(f"{what}: {pausing.PARTS[what].meanwhile}")
    if not apply:
        only_said()
        return
    with deployment.audited("pause", what=what, reason=reason):
        pausing.pause(deployment, what, reason)
    say(_states(deployment))
    say(pausing.under_way(deployment, what))


@app.command()
@WHAT
@APPLY
@click.pass_obj
def resume(deployment: Deployment, what: str, apply: bool) -> None:
    """Let a part go on."""
    if not apply:
        say(_states(deployment))
        only_said()
        return
    with deployment.audited("resume", what=what):
        pausing.resume(deployment, what)
    say(_states(deployment))


def _states(deployment: Deployment) -> list[str]:
    return [f"{name}: {'paused' if is_paused else 'runs'}" for name, is_paused in pausing.paused(deployment).items()]


@app.command()
@KEY
@REASON
@APPLY
@click.pass_obj
def rollback_file(deployment: Deployment, key: str, reason: str, apply: bool) -> None:
    """Undo what the newest version of the file KEY changed: tells nobody, and touches no settlement.

    A run that is broken off says how far it came; the same command goes on from there.
    """
    file = _newest(deployment, key)
    with refusing(rollback.RollbackError):
        undo = rollback.plan(deployment, file)
    if before := undoing.ledger(deployment, file).progress().rows:
        click.echo(f"{before:,} were undone before")
    click.echo(f"{len(undo.inserted):,} inserted: to be forgotten; {len(undo.changed):,} changed: to be restored")
    say(f"{count:,} stay as they are: {why}" for why, count in sorted(undo.kept.items()))
    say(rollback.of_payments(undo))
    if not apply:
        only_said()
        return
    results: dict[str, object] = {}
    payments = sorted(undo.bound)[: rollback.MAX_KEPT]
    audited = deployment.audited(
        "rollback-file", key=key, version=file.version.version_id, reason=reason, payments=payments
    )
    try:
        with refusing(rollback.RollbackError), audited as results:
            undoing.apply(deployment, file, undo, results)
    finally:
        _said_so_far(results)


def _newest(deployment: Deployment, key: str) -> File:
    """The newest version of a file, which is named to the operator."""
    try:
        file = files.newest(deployment, key)
    except KeyError:
        raise click.ClickException(f"no file of the key {key} came") from None
    click.echo(f"{file.version.key} version {file.version.version_id}")
    return file


def _said_so_far(results: dict[str, object]) -> None:
    """Say what a run came to that may be broken off."""
    say(f"{count:,} {what}" for what, count in results.items())
    if results.get(LEFT):
        click.echo("broken off: the same command goes on from here")


@app.command()
@KEY
@REASON
@APPLY
@click.pass_obj
def accept_reopened(deployment: Deployment, key: str, reason: str, apply: bool) -> None:
    """Take the rows of the newest version of the file KEY that open again what was paid or cancelled: tells nobody."""
    file = _newest(deployment, key)
    with refusing(reopening.ReopeningError):
        rows = reopening.rejected(deployment, file)
    click.echo(f"{len(rows):,} rows open again what was paid or cancelled: to be taken")
    if not apply:
        only_said()
        return
    with deployment.audited("accept-reopened", key=key, version=file.version.version_id, reason=reason) as results:
        results |= reopening.accept(deployment, rows)
    say(f"{count:,} {what}" for what, count in results.items())


@app.command()
@KEY
@REASON
@APPLY
@click.pass_obj
def release_news(deployment: Deployment, key: str, reason: str, apply: bool) -> None:
    """Let followers hear of the news that the newest version of the live file KEY holds back.

    A run that is broken off says how far it came; the same command goes on from there.
    """
    file = _newest(deployment, key)
    with refusing(releasing.ReleaseError):
        held = releasing.held(deployment, file)
    if before := releasing.ledger(deployment, file).progress().rows:
        click.echo(f"{before:,} were let go before")
    click.echo(f"{held:,} news are held back: to be let go")
    if not apply:
        only_said()
        return
    results: dict[str, object] = {}
    audited = deployment.audited("release-news", key=key, version=file.version.version_id, reason=reason)
    try:
        with refusing(releasing.ReleaseError), audited as results:
            releasing.release(deployment, file, held, results)
    finally:
        _said_so_far(results)


@app.command()
@KEY
@REASON
@APPLY
@click.pass_obj
def release_registry(deployment: Deployment, key: str, reason: str, apply: bool) -> None:
    """Let the newest version of the registration file KEY replace the numbers that wait: ingest then loads them.

    A run that is broken off is gone on with by the same command.
    """
    file = _newest(deployment, key)
    with refusing(registering.RegisteringError):
        click.echo(f"{registering.waiting(deployment, file):,} rows wait to replace registration numbers")
    if not apply:
        only_said()
        return
    audited = deployment.audited("release-registry", key=key, version=file.version.version_id, reason=reason)
    with refusing(registering.RegisteringError), audited as results:
        results |= registering.release(deployment, file)
    say(f"{count:,} {what}" for what, count in results.items())
    click.echo("once they are loaded the report says what became of the rows")


@app.command()
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY")
@APPLY
@click.pass_obj
def figures(deployment: Deployment, day: datetime, apply: bool) -> None:
    """Write the figures of a DAY that is over, where its night failed: violations as they stand now."""
    if day.date() >= deployment.clock().astimezone(BAGHDAD).date():
        raise click.BadParameter("the day is not over yet", param_hint="DAY")
    key = f"statistics/{day:%Y-%m-%d}.json"
    click.echo(f"{key}: to be written; the whole table of violations is read through for it")
    if not apply:
        only_said()
        return
    with deployment.audited("figures", key=key):
        function, payload = deployment.physical["StatsOnNight"], json.dumps({"day": f"{day:%Y-%m-%d}"}).encode()
        answer = deployment.clients("lambda").invoke(FunctionName=function, Payload=payload)
        if "FunctionError" in answer:
            raise click.ClickException("the function failed: see the log of StatsOnNight")
    click.echo("written")


@app.command()
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def preview_policy(deployment: Deployment, file: BinaryIO) -> None:
    """Say how many fines and dinars the newest set of FILE would touch, beside the rules in force. Changes nothing."""
    try:
        document = json.loads(file.read())
    except ValueError as error:
        raise click.ClickException(f"no JSON: {error}") from None
    if found := faults(document, deployment.clock().date()):
        raise click.ClickException("\n".join(found))
    say(rules.preview(deployment, rules_of(document["sets"][-1])))


@app.command()
@APPLY
@click.pass_obj
def reindex_rises(deployment: Deployment, apply: bool) -> None:
    """Bring the days by which reminders find violations up to the rules in force. Changes no version, tells nobody."""
    todo = rules.outlook(deployment)
    if todo is None:
        click.echo("the days are those of the rules in force")
        return
    say(todo.lines())
    if not apply:
        only_said()
        return
    results: dict[str, object] = {}
    try:
        with deployment.audited("reindex-rises") as results:
            rules.reindex(deployment, results)
    finally:
        say(f"{count:,} {what}" for what, count in results.items())


@app.command()
@APPLY
@click.pass_obj
def set_sms_attributes(deployment: Deployment, apply: bool) -> None:
    """Let SNS write a delivery log of every SMS, and send as Transactional by default: once after the first deployment.

    CloudFormation knows no such resource, and the local cloud's SNS no such call. The attributes are the account's in
    this Region.
    https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html
    """
    attributes = {
        "DeliveryStatusIAMRole": deployment.outputs["SmsDeliveryRoleArn"],
        "DeliveryStatusSuccessSamplingRate": "100",
        "DefaultSMSType": "Transactional",
    }
    say(f"{name}: {value}" for name, value in attributes.items())
    if not apply:
        only_said()
        return
    with deployment.audited("set-sms-attributes"):
        deployment.clients("sns").set_sms_attributes(attributes=attributes)


if __name__ == "__main__":
    app(prog_name="python -m infra.operator")
