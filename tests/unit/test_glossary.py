"""One Arabic word a term: what citizens, clerks and sectors read uses the words of the glossary."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ingest.reporting import report_page
from ingest.reporting.texts import FILE_ERRORS, ROW_ERRORS
from ingest.reporting.warning_texts import WARNINGS
from pay.receipt import texts as receipt_texts
from query import texts as query_texts
from remit import texts as remit_texts
from shared.domain.sms_texts import DETAILS, TEXTS
from shared.domain.text import fold
from shared.problem_texts import NOTES, PROBLEMS
from tests.support.documents import read, rows

KEY: Final = {
    "violation": r"violations?",
    "fine": r"fines?",
    "plate": r"plates?",
    "plate family": r"(plate )?famil(y|ies)",
    "governorate": r"governorates?",
    "category": r"categor(y|ies)",
    "vehicle": r"vehicles?",
    "registration card": r"registration (card|number)",
    "sector": r"sectors?",
    "operator": r"operators?",
    "portal": r"portal",
    "amount": r"amounts?",
    "due": r"what is due|nothing is owed|0 is due",
    "doubling": r"doubled|doubles",
    "increase": r"increase",
    "total": r"total",
    "unpaid": r"unpaid",
    "paid": r"(un)?paid",
    "being paid": r"being paid",
    "cancelled": r"cancel(led)?",
    "disputed": r"disputed",
    "look-up": r"look-ups?",
    "link": r"linked",
    "follower": r"follower|followers",
    "reminder": r"reminder",
    "payment": r"payments?(?! (gateway|date))",
    "payment number": r"payment (no|number)",
    "payment gateway": r"gateway",
    "callback": r"callback",
    "objection": r"objection",
    "refund": r"returned to you",
    "receipt": r"receipts?",
    "settlement file": r"settlement file",
    "acknowledgement": r"acknowledgements?|acknowledge it",
    "file": r"files?",
    "upload": r"upload",
    "row": r"rows?",
    "line": r"lines?",
    "column": r"columns?",
    "header": r"header",
}
"""Terms that are held to the texts, and how the English of a text says them."""

TAIL: Final = "..{plate_tail}"
"""Of a plate: in Arabic, where there is no room, the word for it is left out before it."""

LEFT_OUT: Final = {
    ("key_missing", "header"): "a header of HTTP, not of a file",
    ("violation_not_found", "plate"): "what was looked up",
    ("no_rows", "row"): "only the header",
    ("columns_too_many", "file"): "too many columns",
    ("status_contradicted", "row"): "the violation has a payment date",
}
"""Texts whose Arabic does without a term, by their name and the term, and what it says."""


class Text(NamedTuple):
    """A text in both languages. name: its code."""

    name: str
    arabic: str
    english: str


class Term(NamedTuple):
    """A row of the glossary. forms: of the Arabic word; never: words that are not written for it."""

    name: str
    forms: tuple[str, ...]
    never: tuple[str, ...]


def texts() -> Iterator[Text]:
    """Everything that is said in both languages."""
    for code, said in PROBLEMS.items():
        yield Text(code, said["ar"], said["en"])
    for code, words in {**FILE_ERRORS, **ROW_ERRORS, **WARNINGS}.items():
        yield Text(code, words.ar, words.en)
    for name, by_language in TEXTS.items():
        english = by_language["en"].removesuffix(DETAILS).replace(f"plate {TAIL}", TAIL)
        yield Text(name, by_language["ar"], english)
    arabic, english = receipt_texts.WORDS["ar"], receipt_texts.WORDS["en"]
    yield from (Text(f"receipt: {name}", arabic[name], english[name]) for name in english)
    yield from (Text(f"acknowledgement: {code}", *words) for code, words in remit_texts.WORDS.items())
    yield from (Text(f"note: {name}", said["ar"], said["en"]) for name, said in {**NOTES, **query_texts.NOTES}.items())


def read_glossary(glossary: str) -> dict[str, Term]:
    """The read_glossary of a glossary by name."""
    found = {}
    for term, arabic, never, _, _ in rows(glossary):
        if term != "term":
            found[term] = Term(term, _forms(arabic), _forms(never))
    return found


def _forms(cell: str) -> tuple[str, ...]:
    return tuple(fold(form.strip()) for form in cell.split("،") if form.strip())


def otherwise(text: Text, term: Term) -> bool:
    """Whether the English of a text says a term, and its Arabic none of the term's words."""
    english = re.sub("{.*?}", "", text.english)
    says = re.search(rf"\b({KEY[term.name]})\b", english, re.IGNORECASE)
    return says is not None and not any(form in fold(text.arabic) for form in term.forms)


def test_texts_use_the_arabic_word_of_a_term() -> None:
    known = read_glossary(read("docs/glossary.md"))
    found = {(text.name, name) for text in texts() for name in KEY if otherwise(text, known[name])}
    assert found == LEFT_OUT.keys()


def test_another_word_is_seen() -> None:
    receipt = read_glossary(read("docs/glossary.md"))["receipt"]
    assert not otherwise(Text("a", "رقم الوصل", "Receipt number"), receipt)
    assert otherwise(Text("a", "رقم الإيصال", "Receipt number"), receipt)


def test_no_text_uses_a_word_that_is_never_written() -> None:
    page = "\n".join(re.findall("[\u0600-\u06ff «»]+", inspect.getsource(report_page)))
    said = [*texts(), Text("report page", page, "")]
    found = [
        (text.name, word)
        for text in said
        for term in read_glossary(read("docs/glossary.md")).values()
        for word in term.never
        if word in fold(text.arabic)
    ]
    assert found == []


def test_a_term_has_one_arabic_word_and_no_two_terms_the_same() -> None:
    known = [term for term in read_glossary(read("docs/glossary.md")).values() if term.forms]
    assert len({term.name for term in known}) == len(known)
    first = [term.forms[0] for term in known]
    assert sorted(first) == sorted(set(first))
