"""The commands of keeping data and of the way back."""

from __future__ import annotations

from typing import Final

import click

from infra.operator.deployment import Deployment
from infra.operator.options import APPLY, only_said, refusing, say
from infra.operator.recovery import guarding


@click.command()
@APPLY
@click.pass_obj
def protect(deployment: Deployment, apply: bool) -> None:
    """Let the stack refuse to replace and to remove what holds data, and to be deleted where its tables refuse it."""
    say(f"{name}: neither replaced nor removed" for name in sorted(guarding.holding_data()))
    click.echo(f"the stack: {'not deleted' if guarding.refuses(deployment) else 'may be deleted, as its tables may'}")
    if not apply:
        only_said()
        return
    with deployment.audited("protect"):
        guarding.protect(deployment)


@click.command()
@click.option("--replacing", default="", help="logical ids that hold data and may be replaced or removed all the same")
@click.pass_obj
def execute_changes(deployment: Deployment, replacing: str) -> None:
    """Execute the change set that waits, unless it replaces or removes what holds data. Asks before it does."""
    told = replacing.replace(",", " ").split()
    change_set = guarding.waiting(deployment)
    if change_set is None:
        click.echo("nothing is to be changed")
        return
    say(change_set.lines())
    with refusing(guarding.GuardError):
        guarding.check(deployment, change_set, told)
    if not click.confirm(f"execute it on {deployment.stack}?"):
        guarding.forget(deployment, change_set)
        raise click.ClickException("nothing was changed, and the change set is deleted")
    guarding.execute(deployment, change_set, told)
    click.echo("done")


COMMANDS: Final = (protect, execute_changes)
