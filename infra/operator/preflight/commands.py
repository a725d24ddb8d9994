"""The commands before a deployment."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import click
from botocore.exceptions import BotoCoreError, ClientError

from infra.operator.deployment import Deployment
from infra.operator.options import refusing, say
from infra.operator.preflight import backwards, configuration, issuer, leftovers, occupied, quotas, regional, settings
from infra.operator.preflight.account import Account, Check
from infra.operator.preflight.lines import LOOK, STOP, Line
from infra.operator.preflight.page import page
from shared.aws_json import AwsError

CHECKS: Final[tuple[Check, ...]] = (
    configuration.placeholders,
    configuration.sms_of_a_day,
    issuer.sign_in,
    backwards.phase,
    backwards.sign_in,
    occupied.stack,
    leftovers.check,
    occupied.names,
    occupied.log_policy,
    regional.features,
    regional.copies,
    quotas.concurrency,
    quotas.sandbox,
    quotas.spend,
    quotas.sender,
)


def lines(account: Account) -> Iterator[Line]:
    """What each check says. What cannot be asked, for want of a right or of an answer, is to be looked at by hand."""
    for check in CHECKS:
        try:
            yield from check(account)
        except (BotoCoreError, ClientError, AwsError) as error:
            name = f"{check.__module__.rpartition('.')[2]} {check.__name__}".replace("_", " ")
            yield Line(
                LOOK, name, f"could not be asked: {error}", "ask with the rights of whoever deploys, or look by hand"
            )


def _account(deployment: Deployment) -> Account:
    with refusing(settings.SettingsError):
        return Account(deployment, settings.of_stack(deployment.stack))


@click.command()
@click.pass_obj
def preflight(deployment: Deployment) -> None:
    """Say what stands in the way of a deployment, and print what is to be signed. Changes nothing."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it remarks on metrics of its own
    account, stops = _account(deployment), 0
    for line in lines(account):
        say(line.said())
        stops += line.state == STOP
    if stops:
        raise click.ClickException(f"{stops} of these stop {account.settings.stack}: nothing was deployed")
    click.echo()
    say(page(account.settings))


@click.command()
@click.option("--word", default="", help="the stack's name: take away what is left of it; without, only say what is")
@click.pass_obj
def remove_leftovers(deployment: Deployment, word: str) -> None:
    """Take away what a first try that failed has left, where all of it is empty."""
    account = _account(deployment)
    found = leftovers.left(account)
    say(f"{one.resource}: {one.name}: {f'holds {one.holds}' if one.holds else 'empty'}" for one in found)
    if account.state is not None:
        click.echo(f"{deployment.stack}: {account.state}")
    if word != deployment.stack:
        click.echo(f"nothing was done; with --word {deployment.stack} (make: WORD={deployment.stack}) it is taken away")
        return
    with refusing(leftovers.LeftoversError):
        say(leftovers.remove(account, found))


COMMANDS: Final = (preflight, remove_leftovers)
