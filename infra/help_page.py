"""The Arabic guide to the directorate's files as one page to read and print, with a place for each code of a report.

`make build` and `make run` lay it into ingest's package, from where it goes into the bucket beside the reports.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "docs" / "files.ar.md"
PLACE = Path("ingest", "reporting", "help.html")
"""Below the folder of the functions' code."""

_PAGE = Template("""<!doctype html>
<html lang="ar" dir="rtl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { --ink: #1d2733; --soft: #5a6675; --line: #dde3ea }
body { font: 16px/1.65 "Segoe UI", Tahoma, "Noto Naskh Arabic", sans-serif; color: var(--ink);
  max-width: 56rem; margin: 2rem auto; padding: 0 1.25rem }
h1 { font-size: 1.5rem }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem }
h3 { font-size: 1rem; margin: 1.3rem 0 .2rem }
p, blockquote { margin: .3rem 0 }
blockquote { border-inline-start: .3rem solid var(--line); padding-inline-start: .8rem; color: var(--soft) }
code { font: .92em ui-monospace, Consolas, monospace; overflow-wrap: anywhere; unicode-bidi: isolate }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 }
th, td { text-align: start; padding: .25rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--soft) }
td code, th code { overflow-wrap: normal }
a { color: inherit }
:target { background: #fdf5e6 }
@media print {
  body { margin: 0; max-width: none; font-size: 11pt }
  h2, h3 { break-after: avoid }
  tr { break-inside: avoid }
}
</style>
</head>
<body>
$body</body>
</html>
""")


def write(functions: Path) -> None:
    """Lay the page into the folder of the functions' code, unless it is there as it is."""
    page, place = rendered(SOURCE.read_text(encoding="utf-8")).encode(), functions / PLACE
    if not place.exists() or place.read_bytes() != page:
        place.write_bytes(page)


def rendered(text: str) -> str:
    """Return the page of a guide in Markdown. The same text is always the same page.

    A heading's id is the one that GitHub gives it, so that links hold in both. Links to other documents, which are not
    beside the page, become plain text.
    """
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = markdown.parse(text)
    titles = [inline.content for opening, inline in pairwise(tokens) if _opens_heading(opening)]
    for opening, inline in pairwise(tokens):
        if _opens_heading(opening):
            opening.attrSet("id", _slug(inline.content))
        if inline.children:
            inline.children = [*_within(inline.children)]
    return _PAGE.substitute(title=titles[0], body=markdown.renderer.render(tokens, markdown.options, {}))


def _opens_heading(token: Token) -> bool:
    return token.type == "heading_open"


def _slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _within(children: Sequence[Token]) -> Iterator[Token]:
    """What stands in a line of text, without links that lead away from the page, and with code from left to right."""
    leads_away = False
    for token in children:
        if token.type == "link_open":
            leads_away = not str(token.attrGet("href")).startswith("#")
        if token.type == "code_inline" and token.content.isascii():
            token.attrSet("dir", "ltr")
        if not (leads_away and token.type in ("link_open", "link_close")):
            yield token
