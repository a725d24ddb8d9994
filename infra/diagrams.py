"""`make diagrams`: draw the states of a payment into the page about payments, as the code has them."""

import re
from collections.abc import Iterator
from pathlib import Path

from shared.domain.payment import CORRECTIONS, TRANSITIONS, PaymentStatus

PAGE = Path(__file__).resolve().parents[1] / "docs" / "payments.md"
_BLOCK = re.compile(r"(?<=<!-- payment states -->\n).*?(?=<!-- /payment states -->)", re.DOTALL)


def drawn(page: str) -> str:
    """Return the page with the diagram and the table as they are now."""
    return _BLOCK.sub("\n" + "\n".join([*_diagram(), "", *_causes(), ""]), page)


def _diagram() -> Iterator[str]:
    """A mermaid diagram: transitions as plain arrows, corrections by their names."""
    yield from ("```mermaid", "stateDiagram-v2", f"    [*] --> {PaymentStatus.CREATED}")
    for state, following in TRANSITIONS.items():
        yield from (f"    {state} --> {target}" for target in following)
    for name, (sources, target, _) in CORRECTIONS.items():
        yield from (f"    {source} --> {target}: {name}" for source in sorted(sources))
    yield "```"


def _causes() -> Iterator[str]:
    yield from ("| from | to | because |", "| --- | --- | --- |")
    for state, following in TRANSITIONS.items():
        yield from (f"| `{state}` | `{target}` | {cause} |" for target, cause in following.items())
    for name, (sources, target, cause) in CORRECTIONS.items():
        ends = ", ".join(f"`{source}`" for source in sorted(sources))
        yield f"| {ends} | `{target}` | correction `{name}`: {cause} |"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
