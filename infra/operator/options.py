"""What the commands share: their options, what they refuse with, and saying lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click


def named(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A text that says something: an empty one does not, as where make was given none."""
    if not value.strip():
        raise click.BadParameter("must not be empty")
    return value


APPLY = click.option("--apply", is_flag=True, help="do it; without this, only say what would be done")
KEY = click.argument("key", callback=named)
REASON = click.option("--reason", required=True, callback=named, help="why, for those who read it later")


def say(lines: Iterable[str]) -> None:
    """Say lines, as they come."""
    for line in lines:
        click.echo(line)


def only_said() -> None:
    """Say that nothing was done."""
    click.echo("nothing was done; with --apply (make: APPLY=1) it is")


@contextmanager
def refusing(error: type[Exception]) -> Iterator[None]:
    """Let an error that says why something cannot be done be the command's answer."""
    try:
        yield
    except error as why:
        raise click.ClickException(str(why)) from None
