"""The guide as a page: a place for each code, links that hold, nothing from elsewhere, the same each time."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from infra import help_page
from tests.support.file_format import CODES


class Reader(HTMLParser):
    """The ids of a page, where its links lead, the directions of its code, and what it takes from elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elsewhere: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.left_to_right: list[str] = []
        self._direction: str | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attributes}
        self.ids += [told["id"]] if "id" in told else []
        self.links += [told["href"]] if tag == "a" else []
        self.elsewhere += [value for name, value in told.items() if name == "src" or (name == "href" and tag != "a")]
        self._direction = told.get("dir") if tag == "code" else None
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._direction == "ltr" and self.open[-1] == "code":
            self.left_to_right.append(data)


def page() -> str:
    return help_page.rendered(help_page.SOURCE.read_text(encoding="utf-8"))


def test_every_code_has_a_place() -> None:
    shown = Reader(page())
    assert shown.open == []
    assert len(shown.ids) == len(set(shown.ids))
    assert set().union(*CODES.values()) <= set(shown.ids)


def test_every_link_leads_to_a_place_of_the_page() -> None:
    shown = Reader(page())
    assert shown.links
    assert {unquote(link.removeprefix("#")) for link in shown.links} <= set(shown.ids)
    assert shown.elsewhere == []
    assert "Files of the directorate" in "".join(shown.words), "a link that leads away is plain text"


def test_what_is_typed_stands_from_left_to_right() -> None:
    assert {"make prepare FILE=export.csv FOLDER=backlog", "25/3", "violation_no"} <= set(Reader(page()).left_to_right)


def test_the_same_guide_is_the_same_page() -> None:
    assert page() == page()
    assert "<title>دليل الملفات</title>" in page()
    assert '<html lang="ar" dir="rtl">' in page()


@pytest.mark.parametrize("before", [None, "of an older edition"])
def test_it_is_laid_where_functions_look_for_it(tmp_path: Path, before: str | None) -> None:
    place = tmp_path / help_page.PLACE
    place.parent.mkdir(parents=True)
    if before:
        place.write_text(before)
    help_page.write(tmp_path)
    assert place.read_text(encoding="utf-8") == page()
    written = place.stat().st_mtime_ns
    help_page.write(tmp_path)
    assert place.stat().st_mtime_ns == written
