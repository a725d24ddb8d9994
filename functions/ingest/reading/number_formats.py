"""What a number format shows of a number or a text: digits at places among literal text (ECMA-376, part 1, 18.8.30).

Any letter or digit of a format is part of what its cell says: ``"BG"0`` shows 123 as BG123, and so it is read. What
only helps the eye is left out (marks of thousands, spaces, colours, the dinar's name), and no digit is rounded away.
What is shown in a way that cannot be told for certain raises FormatError, when a cell holds a value that is shown so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import zip_longest
from operator import eq, ge, gt, le, lt, ne
from typing import Final, NamedTuple

from ingest.errors import FileError
from shared.domain.text import clean

_MAX_FORMAT_CHARACTERS: Final = 255
"""Characters; Excel's bound."""
_MAX_DIGITS: Final = 15
"""Excel keeps so many; a longer number has lost its last ones."""

# 18.8.30: the formats that every Excel knows by number; 27 to 36 and 50 to 58 are dates in East Asia.
_BUILT_IN_DATES: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_BUILT_IN: Final = {9: "0%", 10: "0.00%", 12: "# ?/?", 13: "# ??/??"}

# No part of it looks further than to the next quotation mark or bracket, so that reading is linear.
_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|[_*](?P<filler>.)|\[(?P<bracket>[^\]\[]*)\]|(?P<general>General)'
    r"|(?P<exponent>E[+-])|(?P<half>AM/PM|A/P)|(?P<sign>.)",
    re.IGNORECASE | re.DOTALL,
)
_ELAPSED: Final = re.compile(r"h+|m+|s+", re.IGNORECASE).fullmatch
_CONDITION: Final = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[0-9]+(?:\.[0-9]+)?)").fullmatch
_TESTS: Final = {"<=": le, ">=": ge, "<>": ne, "<": lt, ">": gt, "=": eq}
_DINAR: Final = re.compile(r"IQD|د\.?\s?ع\.?|دينارا?(?: عراقي)?|دنانير(?: عراقية)?", re.IGNORECASE).fullmatch
"""Its names, which formats of amounts show: of no other currency, and no thousand."""
_DATE_SIGNS: Final = frozenset("dmyhsDMYHS")
_PLACES: Final = frozenset("0#?")
_STROKES: Final = frozenset("-/")

# How a section shows a number.
VALUE: Final = "value"
"""The number as it is, with marks that are no part of it."""
DATE: Final = "date"
DIGITS: Final = "digits"
"""Its digits at places among literal text that is part of what is shown."""
PERCENT: Final = "percent"
WHOLE: Final = "whole"
"""A whole number as it is; other ones as fractions, which are not read."""
NOTHING: Final = "nothing"
UNREADABLE: Final = "unreadable"


class FormatError(ValueError):
    """A value is shown in a way that is not read. code: of the number format."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Section(NamedTuple):
    """How numbers of one kind are shown.

    places: a ``0`` for each digit that is shown always, a ``#`` for others. literals: before each place, and at last.
    decimals: how many digits are always shown behind the point. test: which numbers, where a condition says so.
    """

    kind: str = VALUE
    places: str = ""
    literals: tuple[str, ...] = ("",)
    decimals: int = 0
    test: Callable[[Decimal], bool] | None = None

    @property
    def hides_zero(self) -> bool:
        """Whether it shows a number as it is, and 0 not at all, as ``#,###`` does."""
        nothing_else = not self.decimals and not "".join(self.literals).strip()
        return self.kind == VALUE and bool(self.places) and "0" not in self.places and nothing_else

    def spread(self, digits: str) -> str:
        """Digits, with a point or without, at their places; those beyond the places stand before the first."""
        if not self.places:
            return self.literals[0]
        whole, _, part = digits.partition(".")
        if whole == "0" and "0" not in self.places:
            whole = ""
        part = part.ljust(self.decimals, "0")
        beyond = max(len(whole) - len(self.places), 0)
        shown = [self.literals[0], whole[:beyond]]
        for place, digit, literal in zip(
            self.places, whole[beyond:].rjust(len(self.places)), self.literals[1:], strict=True
        ):
            shown += (place if digit == " " else digit).replace("#", ""), literal
        if part:
            shown.insert(-1, f".{part}")
        return "".join(shown)


class Format(NamedTuple):
    """A number format. numbers: its sections for numbers. around: what stands around a text; None: nothing.

    as_is: it shows every number as it is. text_as_is: and every text.
    """

    code: str = ""
    numbers: tuple[Section, ...] = ()
    around: tuple[str, ...] | None = None
    as_is: bool = True
    text_as_is: bool = True

    def section(self, value: Decimal) -> Section:
        """The section that shows a number; of one that hides it, NOTHING. Raises FormatError."""
        found = self._section(value)
        if found.kind == UNREADABLE or (found.kind == NOTHING and value):
            raise FormatError(self.code)  # a value that is there and not shown is nobody's to leave out
        return found

    def _section(self, value: Decimal) -> Section:
        sections = self.numbers
        if any(section.test for section in sections):
            found = next((section for section in sections if not section.test or section.test(value)), _UNREADABLE)
            # Programs differ over the sign.
            return _UNREADABLE if value < 0 and found.kind in (DIGITS, PERCENT) else found
        if not sections:
            return _VALUE
        if value < 0 and len(sections) > 1:
            return sections[1]
        return sections[2] if not value and len(sections) > 2 else sections[0]

    def number(self, value: Decimal, section: Section) -> str:
        """A number as a section shows it that shows no date. Raises FormatError."""
        digits = _digits(value)
        if section.kind == NOTHING or (not value and section.hides_zero):
            return ""
        if section.kind == VALUE:
            return digits
        if section.kind == WHOLE:
            if not digits.lstrip("-").isdecimal():
                raise FormatError(self.code)
            return digits
        if section.kind == PERCENT:
            digits = _digits(value * 100)
        unsigned = digits.lstrip("-")
        if "E" in digits:  # its last digits are gone, and every reader of a cell knows that form
            return digits
        return ("-" if digits != unsigned and len(self.numbers) == 1 else "") + section.spread(unsigned)

    def text(self, text: str) -> str:
        """A text as the format shows it. Raises FormatError where it hides it."""
        if self.around is None:
            return text
        shown = text.join(self.around)
        if not shown and text.strip():
            raise FormatError(self.code)
        return shown


GENERAL: Final = Format()
_VALUE: Final = Section()
_UNREADABLE: Final = Section(UNREADABLE)


def _digits(value: Decimal) -> str:
    # Arithmetic leaves 50000.000000000004 where the sheet shows and its CSV says 50000.
    return format(float(value), f".{_MAX_DIGITS}G")


def format_of(format_id: int, code: str) -> Format:
    """The number format of an id. code: empty for those that Excel knows by number.

    Raises FileError for a code longer than any.
    """
    if len(code) > _MAX_FORMAT_CHARACTERS:
        raise FileError("excel_damaged")
    if not code and format_id in _BUILT_IN_DATES:
        return Format(numbers=(Section(DATE),), as_is=False)
    code = code or _BUILT_IN.get(format_id, "")
    sections = [_Reader(tokens) for tokens in _sections(code)] if code else []
    texts = sections.pop() if sections and (len(sections) == 4 or sections[-1].is_text) else None
    around = texts.around() if texts else None
    numbers = tuple(section.read() for section in sections[:3])
    if len(sections) > 3 or any(section.is_text for section in sections):
        numbers = (_UNREADABLE,)
    elif any(section.test for section in numbers) and any(section.kind != VALUE for section in numbers):
        numbers = _told_apart(numbers)
    elif all(section.kind == VALUE and not section.hides_zero for section in numbers):
        numbers = ()
    return Format(code, numbers, around, as_is=not numbers, text_as_is=around is None)


def _told_apart(numbers: tuple[Section, ...]) -> tuple[Section, ...]:
    """The sections of a format with conditions, of which all but the last have one: elsewhere programs differ."""
    at = next((at for at, section in enumerate(numbers) if not section.test), len(numbers))
    return numbers if at >= len(numbers) - 1 else (*numbers[:at], _UNREADABLE)


def _sections(code: str) -> list[list[re.Match[str]]]:
    sections: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(code):
        if token["sign"] == ";":
            sections.append([])
        else:
            sections[-1].append(token)
    return sections


class _Reader:
    """Reads one section of a format's code."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self._tokens = tokens
        self.is_text = any(token["sign"] == "@" for token in tokens)
        self._places = ""
        self._literals = [""]
        self._decimals = 0
        self._test: Callable[[Decimal], bool] | None = None
        self._seen: set[str] = set()

    def around(self) -> tuple[str, ...] | None:
        """What stands around the text that a section shows; None where no letter or digit does, () if none can tell."""
        pieces = [""]
        for token in self._tokens:
            sign = token["sign"] or ""
            if sign == "@":
                pieces.append("")
            elif sign and _is_unknown(sign):
                return ()
            else:
                pieces[-1] += token["quoted"] or token["escaped"] or _currency(token) or sign
        nothing = len(pieces) == 2 and not _says(pieces)
        return None if nothing else tuple(pieces)

    def read(self) -> Section:
        """The section of numbers that the tokens make."""
        for token, following in zip_longest(self._tokens, self._tokens[1:]):
            self._take(token, following)
        literals = tuple("" if _DINAR(clean(literal).strip()) else literal for literal in self._literals)
        return Section(self._kind(literals), self._places, literals, self._decimals, self._test)

    def _take(self, token: re.Match[str], following: re.Match[str] | None) -> None:
        if token["general"]:
            self._place("0")
        elif token["exponent"]:
            self._seen.add("exponent")
        elif token["half"]:
            self._seen.add("date")
        elif token["bracket"] is not None:
            self._bracket(token)
        elif token["sign"]:
            self._sign(token["sign"], (following["sign"] or "") if following else "")
        else:
            self._literals[-1] += token["quoted"] or token["escaped"] or ""

    def _bracket(self, token: re.Match[str]) -> None:
        inside = token["bracket"]
        if _ELAPSED(inside):
            self._seen.add("date")
        elif found := _CONDITION(inside):
            self._test = partial(_holds, _TESTS[found[1]], Decimal(found[2]))
        else:
            self._literals[-1] += _currency(token)

    def _sign(self, sign: str, following: str) -> None:
        if sign in _PLACES:
            self._place(sign)
        elif sign.isdigit() and self._seen & {"fraction", "division"}:
            pass  # of the denominator
        elif sign == "." and "point" not in self._seen and (following in _PLACES or self._after_place()):
            self._seen.add("point")
        elif sign == "," and self._after_place():
            if following not in _PLACES:
                self._seen.add("scale")
        elif sign == "/" and self._after_place() and following and following in "0#?123456789":
            # Between places it divides; a group of places before the numerator is the whole part.
            whole = any(literal for literal in self._literals[1:])
            self._seen.add("fraction" if whole else "division")
        elif sign in _DATE_SIGNS:
            self._seen.add("date")
        elif sign == "%":
            self._seen.add("percent")
            self._literals[-1] += sign
        elif _is_unknown(sign):
            self._seen.add("unknown")
        else:
            self._literals[-1] += sign

    def _after_place(self) -> bool:
        return bool(self._places) and not self._literals[-1]

    def _place(self, place: str) -> None:
        if "exponent" in self._seen or "fraction" in self._seen:
            return
        if "point" not in self._seen:
            self._places += "0" if place == "0" else "#"
            self._literals.append("")
        elif self._literals[-1]:
            self._seen.add("unknown")  # literal text among the digits behind the point
        elif place == "0":
            self._decimals += 1

    def _kind(self, literals: tuple[str, ...]) -> str:
        seen, says = self._seen, _says(literals)
        if "date" in seen:
            return UNREADABLE if self._places else DATE
        if seen & {"unknown", "scale", "division"} or (says and seen & {"exponent", "fraction"}):
            return UNREADABLE
        if "fraction" in seen:
            return WHOLE
        if "exponent" in seen:
            return VALUE
        if "percent" in seen:
            return PERCENT
        if not self._places and not "".join(literals).strip():
            return NOTHING
        strokes = any(_STROKES.intersection(literal) for literal in literals[1:-1])
        padded = self._places.count("0") > 1 and "point" not in seen
        return DIGITS if says or padded or strokes else VALUE


def _holds(test: Callable[[Decimal, Decimal], bool], bound: Decimal, value: Decimal) -> bool:
    return test(value, bound)


def _says(literals: tuple[str, ...] | list[str]) -> bool:
    """Whether literal text says anything: a letter or a digit."""
    return any(sign.isalnum() for literal in literals for sign in literal)


def _currency(token: re.Match[str]) -> str:
    """The word of a currency, which ``[$د.ع-401]`` shows; other brackets show nothing."""
    inside = token["bracket"] or ""
    return inside[1:].partition("-")[0] if inside.startswith("$") else ""


def _is_unknown(sign: str) -> bool:
    """Whether a sign outside quotation marks means different things to different programs."""
    return (sign.isascii() and sign.isalnum()) or sign in '"[]\\_*'
