"""Reading the documents: which there are, and their headings, sections, tables and blocks of code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]

_FENCED: Final = re.compile(r"^ *```(?P<language>\w*)\n(?P<code>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^(?P<marks>#{1,6}) +(?P<title>.+?) *$", re.MULTILINE)
_CELLS: Final = re.compile(r"(?<!\\)\|")


class Heading(NamedTuple):
    """A heading. level: 1 to 6. start, end: where its line begins and ends in the text."""

    level: int
    title: str
    start: int
    end: int


class Block(NamedTuple):
    """A fenced block of code. language: empty where none is named."""

    language: str
    code: str


def documents() -> list[Path]:
    """Every document of the repository."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")])


def read(name: str) -> str:
    """The text of a document, by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def without_blocks(text: str) -> str:
    """A text whose fenced blocks are blank, so that places in it stay what they were."""
    return _FENCED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a text, in order."""
    return [Block(found["language"], found["code"]) for found in _FENCED.finditer(text)]


def headings(text: str) -> list[Heading]:
    """The headings of a text, in order."""
    found = _HEADING.finditer(without_blocks(text))
    return [Heading(len(each["marks"]), each["title"], each.start(), each.end()) for each in found]


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next that is no part of it. Raises LookupError where there is none."""
    found = headings(text)
    for position, heading in enumerate(found):
        if heading.title == title:
            rest = (later.start for later in found[position + 1 :] if later.level <= heading.level)
            return text[heading.end : next(rest, len(text))]
    raise LookupError(f"there is no section {title!r}")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, but for the lines that part a head from its body."""
    lines = (line.strip() for line in without_blocks(text).splitlines())
    cells = ([cell.strip() for cell in _CELLS.split(line)[1:-1]] for line in lines if line.startswith("|"))
    return [row for row in cells if not all(re.fullmatch(":?-+:?", cell) for cell in row)]
