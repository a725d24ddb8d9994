"""A witness in the emulator: which right lets which role make which call.

A line of the file is a role's name, an action and a resource, each once. What no call ever uses need not be granted: a
test compares the two. The emulator keeps no such list, so its one place of decision is wrapped.
"""

from collections.abc import Callable
from typing import Any, TextIO

ASSUMED = ":assumed-role/"


def watched(evaluate: Callable[..., Any], file: TextIO) -> Callable[..., Any]:
    """The same decision, noted where it lets a role through."""
    seen: set[tuple[str, str, str]] = set()

    def decide(context: Any, *policies: Any) -> Any:
        result = evaluate(context, *policies)
        if result.decision == "Allow" and ASSUMED in context.principal_arn:
            role = context.principal_arn.partition(ASSUMED)[2].partition("/")[0]
            used = (role, context.action, _kind(context.resource_arn))
            if used not in seen:
                seen.add(used)
                file.write("\t".join(used) + "\n")
        return result

    return decide


def _kind(arn: str) -> str:
    """A resource without what makes one object another, so that the list stays short."""
    if not arn.startswith("arn:aws:s3:"):
        return arn
    bucket, _, key = arn.partition("/")
    folder = key.rpartition("/")[0]
    return f"{bucket}/{folder}/object" if folder else f"{bucket}/object" if key else bucket
