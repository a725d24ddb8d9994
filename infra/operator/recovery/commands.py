"""The commands of keeping data and of the way back."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from infra.operator.deployment import Deployment
from infra.operator.options import APPLY, REASON, only_said, refusing, say
from infra.operator.recovery import adopting, guarding, reading, reloading, replaying, restoring
from infra.operator.recovery.cross_check import CrossCheck
from shared.domain.time import BAGHDAD


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


@click.command("check-books")
@click.option("--since", default="", help="to which instant tables were restored, such as 2026-11-25T14:30:00")
@APPLY
@click.pass_obj
def cross_check(deployment: Deployment, since: str, apply: bool) -> None:
    """Say where the tables contradict one another; with SINCE, bring in what happened after that instant.

    All is read through, and rows of it are put into a file of this machine, for the time of the command.
    """
    if since:
        _replay(deployment, instant(since), apply=apply)
    with TemporaryDirectory() as folder, CrossCheck(Path(folder) / "books.sqlite3") as check:
        click.echo(f"{check.enter(reading.rows(deployment)):,} rows in the books")
        counts: Counter[str] = Counter()
        for found in check.contradictions():
            counts[found.name] += 1
            click.echo(f"{found.name}: {' '.join(found.ids)}")
    if counts:
        raise click.ClickException(f"the tables contradict one another in {counts.total():,} places")
    click.echo("nothing contradicts")


@click.command()
@click.option("--names", default="", help="what tags do not say: Violations=its name; OperatorActions=- for none")
@APPLY
@click.pass_obj
def adopt(deployment: Deployment, names: str, apply: bool) -> None:
    """Make a stack that was deleted of what it left behind; `make deploy` then makes the rest."""
    named = dict(word.split("=", 1) for word in names.split() if "=" in word)
    with refusing(adopting.AdoptError):
        found = adopting.left_behind(deployment, named)
    say(f"{name}: {identifier}" for name, identifier in found.items())
    if not apply:
        only_said()
        return
    adopting.adopt(deployment, found)
    if "OperatorActions" in found:
        with deployment.audited("adopt", names=found):
            click.echo("adopted")


TABLES = click.option("--tables", required=True, help="logical ids of the tables")
AT = click.option("--at", "said", required=True, help="the instant, such as 2026-11-25T14:30:00; Baghdad's by default")


@click.command()
@TABLES
@AT
@APPLY
@click.pass_obj
def restore_tables(deployment: Deployment, tables: str, said: str, apply: bool) -> None:
    """Restore tables to one instant, each into a new one beside it. It takes hours where they are large."""
    names, at = tables.replace(",", " ").split(), instant(said)
    with refusing(restoring.RestoreError):
        restoring.check(deployment, names, at)
    say(f"{name}: into {restoring.name_of(deployment.physical[name], at)}" for name in names)
    if not apply:
        only_said()
        return
    with deployment.audited("restore-tables", tables=names, at=at.isoformat()):
        restoring.restore(deployment, names, at)
    click.echo("restored")


@click.command()
@TABLES
@AT
@REASON
@APPLY
@click.pass_obj
def copy_back(deployment: Deployment, tables: str, said: str, reason: str, apply: bool) -> None:
    """Make live tables what those hold that were restored to an instant. What writes them must be stopped meanwhile."""
    names, at = tables.replace(",", " ").split(), instant(said)
    with refusing(restoring.RestoreError):
        restoring.check_restored(deployment, names, at)
    say(f"{name}: as {restoring.name_of(deployment.physical[name], at)}" for name in names)
    if not apply:
        only_said()
        return
    with deployment.audited("copy-back", tables=names, at=at.isoformat(), reason=reason) as results:
        for name, counts in restoring.copy_back(deployment, names, at):
            results[name] = dict(counts)
            say(f"{name}: {counts[what]:,} {what}" for what in restoring.DONE)


@click.command()
@click.option("--since", required=True, help="to which instant tables were restored")
@APPLY
@click.pass_obj
def reload_files(deployment: Deployment, since: str, apply: bool) -> None:
    """Load the files that came after an instant once more; with MostNews=0 nobody hears of them yet."""
    held = deployment.parameters.get("MostNews")
    found = reloading.forgotten(deployment, instant(since))
    say(f"{one.at:%Y-%m-%d %H:%M:%S}  {one.version.key}" for one in found)
    click.echo(f"{len(found):,} files to be loaded again; MostNews is {held}")
    if not apply:
        only_said()
        return
    if held != "0":
        raise click.ClickException("deploy MostNews=0 first: else followers hear at once of what they may have heard")
    with deployment.audited("reload-files", since=since, files=len(found)):
        for one in found:
            reloading.load_again(deployment, one.version)


def instant(said: str) -> datetime:
    """Read an instant; without an offset it is Baghdad's. Raises BadParameter."""
    try:
        read = datetime.fromisoformat(said)
    except ValueError:
        raise click.BadParameter("no instant, such as 2026-11-25T14:30:00+03:00") from None
    return read if read.tzinfo else read.replace(tzinfo=BAGHDAD)


def _replay(deployment: Deployment, since: datetime, *, apply: bool) -> None:
    lines = list(replaying.lines(deployment, since))
    payments, claims = replaying.payments(lines), [line for line in lines if replaying.is_claim(line)]
    click.echo(f"{len(payments):,} payments and {len(claims):,} claimed messages in the log since then")
    if not apply:
        only_said()
        return
    counts: Counter[str] = Counter()
    with deployment.audited("check-books", since=since.isoformat()) as results:
        for one in payments.values():
            outcome = replaying.put_back(deployment, one, deployment.clock())
            counts[f"payments {outcome}"] += 1
            if outcome != replaying.KNOWN:
                click.echo(f"payment {one.payment_id}: {outcome}")
        counts.update(f"messages {replaying.end_claim(deployment, line, deployment.clock())}" for line in claims)
        results |= counts
    say(f"{count:,} {what}" for what, count in counts.items())


COMMANDS: Final = (protect, execute_changes, adopt, cross_check, restore_tables, copy_back, reload_files)
