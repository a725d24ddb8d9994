"""The documents name what is there: files, symbols, commands, parameters, and one another's sections.

Each rule is a function over a document that answers with what it names in vain, and is shown to catch a bad one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from infra.operator import deciding, pausing
from infra.operator.__main__ import app
from ingest.format.origins import ORIGINS
from tests.support.documents import ROOT, blocks, documents, headings, without_blocks
from tests.support.known_names import KnownNames

KNOWN: Final = KnownNames(ROOT)

IN_THE_BUCKET: Final = {
    *("live", "backlog", "registry", "check", "reports", "rejects", "chunks"),
    *("settlements", "settlements-ack", "statistics", "comparisons"),
}
"""Where the keys of objects begin, which look like paths."""

NAMED_ELSEWHERE: Final = {
    "ReadThrottleEvents": "a metric of DynamoDB",
    "batch_writer": "boto3's",
}
"""Names of others that no code of ours says, and whose they are."""

_SPAN: Final = re.compile(r"(?<!`)(`+)(?!`)((?:(?!\n\n).)+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_WORD: Final = r"[A-Za-z][\w-]*(?:='[^']*'|=[^\s']*)?"
_MAKE: Final = re.compile(rf"(?<![\w-])make((?: +{_WORD})+)")
_ASSIGNED: Final = re.compile(r"(?<![\w-])([A-Z]+)=(\S*)")
_PARAMETER: Final = re.compile(r"(?<![\w-])([A-Z][a-z]\w*)=([\w.:-]*)")
_PATH: Final = re.compile(r"(?=.*[a-z])[A-Za-z_.][\w.*-]*(?:/[\w.*-]+)+/?")
_FOLDER: Final = re.compile(r"[A-Za-z_.][\w-]*/")
_FILE: Final = re.compile(r"[\w-]+\.(?:py|toml|yaml|md|in|js)")
_SYMBOL: Final = re.compile(
    r"_?[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?:\(\))?|_?[a-z]\w*\(\)|_?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]\w*[a-z]\w*"
)
_DOTTED: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\(\))?")

VALUES: Final = {
    "WHAT": set(pausing.PARTS),
    "DECISION": set(deciding.DECISIONS),
    "QUEUE": {*KNOWN.queues, "FailedRecords"},
    "FOLDER": set(ORIGINS),
    "ENV": {"dev", "staging", "prod"},
}
"""What variables of make may be given, where that is one of a few words."""


def spans(text: str) -> list[str]:
    """What stands in a document as code within a line."""
    found = (each[2].strip().replace("\\|", "|") for each in _SPAN.finditer(without_blocks(text)))
    return [" ".join(span.split()) for span in found]


def code(text: str) -> list[str]:
    """All code of a document, blocks too."""
    return [*spans(text), *(block.code for block in blocks(text))]


def anchors(text: str) -> set[str]:
    """The places of a document that a link may lead to, as GitHub names them."""
    found: set[str] = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in headings(text):
        slug = re.sub(r"[^\w\- ]", "", heading.title.lower()).replace(" ", "-")
        found.add(next(name for name in _numbered(slug) if name not in found))
    return found


def _numbered(slug: str) -> Iterator[str]:
    yield slug
    yield from (f"{slug}-{number}" for number in range(1, 1000))


def broken_links(path: Path, text: str) -> Iterator[str]:
    """Links to what is not there, or to no section of it."""
    prose = _SPAN.sub("", without_blocks(text))
    for target in _LINK.findall(prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if name and not there.exists():
            yield f"there is no {target}"
        elif anchor and anchor not in anchors(text if there == path else there.read_text(encoding="utf-8")):
            yield f"there is no section {target}"


def _named_paths(text: str) -> Iterator[str]:
    """What looks like a file or folder of the repository, with the symbol that it is to hold behind ``::``."""
    yield from (span for span in spans(text) if _FOLDER.fullmatch(span) and span.strip("/") not in IN_THE_BUCKET)
    for token in (token.strip(",;:()[]'\"") for part in code(text) for token in part.split()):
        path = token.partition("::")[0]
        if _FILE.fullmatch(path) or (_PATH.fullmatch(path) and path.partition("/")[0] not in IN_THE_BUCKET):
            yield token


def unknown_paths(path: Path, text: str) -> Iterator[str]:
    """Files, folders and modules that are not there, and symbols that a file does not hold."""
    for name, _, symbol in (named.partition("::") for named in _named_paths(text)):
        if not (KNOWN.find(name) if "/" in name else KNOWN.has_file(name)) and not KNOWN.is_made_here(name):
            yield f"there is no {name}"
        elif symbol and not KNOWN.has_symbol(name, symbol.rpartition("::")[2]):
            yield f"{name} has no {symbol}"
    for module in re.findall(r"-m ((?:infra|tests)[\w.]*)", "\n".join(code(text))):
        if module not in KNOWN.packages:
            yield f"there is no module {module}"


def unknown_commands(path: Path, text: str) -> Iterator[str]:
    """What make and the operator's commands do not know: targets, variables and their values, commands."""
    for part in code(text):
        for words in (re.findall(_WORD, found[1]) for found in _MAKE.finditer(part)):
            yield from (f"make has no {word}" for word in words if "=" not in word and word not in KNOWN.targets)
            names = {word.partition("=")[0] for word in words if "=" in word}
            yield from (f"make has no variable {name}" for name in names if name not in KNOWN.make_variables)
        for name, value in _ASSIGNED.findall(part):
            allowed = VALUES.get(name)
            given = {word.strip("'`") for word in value.split("|")} - {"", "…", "..."}
            if allowed is not None and not given <= allowed:
                yield f"{name} takes no {', '.join(sorted(given - allowed))}"
        for command in re.findall(r"infra\.operator ([a-z-]+)", part):
            if command not in app.commands:
                yield f"the operator has no command {command}"


def unknown_parameters(path: Path, text: str) -> Iterator[str]:
    """Parameters that the templates do not have, and values that they do not allow."""
    for name, value in (found for part in code(text) for found in _PARAMETER.findall(part)):
        parameter = KNOWN.parameters.get(name)
        if parameter is None:
            yield f"there is no parameter {name}"
        elif value and value not in map(str, parameter.get("AllowedValues", [value])):
            yield f"{name} does not take {value}"


def unknown_symbols(path: Path, text: str) -> Iterator[str]:
    """Functions, classes, constants, attributes, environment variables and resources that nothing of ours defines."""
    for span in spans(text):
        dotted = _DOTTED.fullmatch(span)
        if dotted and not _FILE.fullmatch(span):
            if KNOWN.knows_dotted(dotted[1]) is False:
                yield f"there is no {span}"
        elif _SYMBOL.fullmatch(span) and span.removesuffix("()") not in KNOWN.symbols | NAMED_ELSEWHERE.keys():
            yield f"nothing defines {span}"


RULES: Final[tuple[Callable[[Path, str], Iterator[str]], ...]] = (
    broken_links,
    unknown_paths,
    unknown_commands,
    unknown_parameters,
    unknown_symbols,
)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_what_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [found for rule in RULES for found in rule(path, text)] == []


@pytest.mark.parametrize("name", NAMED_ELSEWHERE)
def test_a_name_of_others_is_one_that_no_code_of_ours_says(name: str) -> None:
    assert name not in KNOWN.symbols
    assert any(name in path.read_text(encoding="utf-8") for path in documents())


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


GOOD: Final = """# A document

See [itself](#a-document), [the runbook](runbook.md#commands) and [the wide web](https://example.org).

`functions/shared/domain/fine.py`, `shared/domain/fine.py`, `stores/`, `template.yaml`, `infra/locks/*.txt`,
`live/a.csv`, `25/3/هـ`, `N/A`, `POST /v1/queries`, `sms|payments`, `.venv/project/bin/python`, `like /timed out/`,
`tests/unit/test_documents.py::GOOD`, `make pause WHAT=sms\\|payments REASON='a reason' APPLY=1`,
`DECISION=give-back`, `Rollout=AllAtOnce`, `SmsSpendDayCap`, `Messages`, `fine.DOUBLED`, `shared.domain.fine`,
`Policy.times`, `shared.domain.rules.Policy.times`, `csv.DictReader`, `new_receipt_no()`, `UPLOADS_BUCKET`,
`functions/shared/domain/rules.py::Policy.times`, `refund_due`, `batch_writer`, `-`

```sh
make deploy ENV=prod    # with Edge=on
python3 -m infra.cost
```
"""


def test_a_good_document_is_let_through() -> None:
    assert [found for rule in RULES for found in rule(ROOT / "docs" / "good.md", GOOD)] == []


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        (broken_links, "[vanished](vanished.md)"),
        (broken_links, "[vanished](#vanished)"),
        (broken_links, "[vanished](runbook.md#vanished)"),
        (unknown_paths, "`data/fine_policy.json`"),
        (unknown_paths, "`shared/domain/vanished.py`"),
        (unknown_paths, "`pay/vanished`"),
        (unknown_paths, "`vanished/`"),
        (unknown_paths, "`vanished.toml`"),
        (unknown_paths, "`infra/locks/*.vanished`"),
        (unknown_paths, "`tests/unit/test_documents.py::vanished`"),
        (unknown_paths, "`functions/shared/domain/rules.py::Policy.vanished`"),
        (unknown_paths, "`functions/shared/domain/rules.py::Vanished.times`"),
        (unknown_paths, "```\nfile ─▶ ingest/vanished ─▶ queue\n```"),
        (unknown_paths, "```sh\npython3 -m infra.vanished --rows 3\n```"),
        (unknown_commands, "`make vanished`"),
        (unknown_commands, "`make replay VANISHED=1`"),
        (unknown_commands, "```sh\nmake check vanished\n```"),
        (unknown_commands, "`DECISION=vanished`"),
        (unknown_commands, "`make pause WHAT=sms\\|vanished`"),
        (unknown_commands, "`make replay QUEUE=VanishedDeadLetters`"),
        (unknown_commands, "`python -m infra.operator vanished`"),
        (unknown_parameters, "`VanishedParameter=1`"),
        (unknown_parameters, "`Rollout=Vanished`"),
        (unknown_parameters, "```sh\nGHARAMA_PARAMETERS='Vanished=on' make run\n```"),
        (unknown_symbols, "`VanishedParameter`"),
        (unknown_symbols, "`Vanished`"),
        (unknown_symbols, "`vanished_symbol`"),
        (unknown_symbols, "`vanished()`"),
        (unknown_symbols, "`VANISHED_CONSTANT`"),
        (unknown_symbols, "`fine.VANISHED`"),
        (unknown_symbols, "`shared.domain.vanished`"),
        (unknown_symbols, "`shared.domain.rules.Policy.vanished`"),
        (unknown_symbols, "`Policy.vanished`"),
    ],
)
def test_what_is_not_there_is_caught(rule: Callable[[Path, str], Iterator[str]], bad: str) -> None:
    path = ROOT / "docs" / "bad.md"
    assert len([*rule(path, f"# A document\n\n{bad}\n")]) == 1
