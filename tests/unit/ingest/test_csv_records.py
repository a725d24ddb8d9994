"""Records of CSV text: where they begin and end, and what quotes may do."""

from __future__ import annotations

import io

import pytest

from ingest.errors import FileError
from ingest.reading.csv_records import records


def lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def test_records_know_the_line_they_begin_on() -> None:
    text = 'a,b\r\n\r\n"x\r\ny",2\r\n,\r\nc,d'
    assert list(records(lines(text), ",", 10)) == [(10, ["a", "b"]), (12, ["x\r\ny", "2"]), (15, ["c", "d"])]


def test_the_mark_before_a_formula_is_taken_off() -> None:
    text = "'=1+1,'-5,'@x,'+964,'tis,'\n"
    assert list(records(lines(text), ",")) == [(1, ["=1+1", "-5", "@x", "+964", "'tis", "'"])]


def test_a_quote_that_never_ends_is_found() -> None:
    for text in ('a,b\n"c,d\ne,f\n', 'a,b\n"c,d', 'a,b\n"', 'a,b\n"\n\n'):
        with pytest.raises(FileError) as caught:
            list(records(lines(text), ","))
        assert (caught.value.code, caught.value.line) == ("quote_unclosed", 2)


def test_two_stray_quotes_never_make_one_row_of_two() -> None:
    for text in ('1,"a,open\n2,"b,paid\n', '1,"a,open\n2,b,paid\n3,"c,paid\n', '1,"a"b","c\n2,"d,paid\n'):
        with pytest.raises(FileError) as caught:
            list(records(lines(text), ","))
        assert (caught.value.code, caught.value.line) == ("quote_unclosed", 1)


def test_quotes_inside_a_line_are_taken_as_they_stand() -> None:
    text = '1,"a" b,2\n3,c "d" e,4\n5,"f "g" h",6\n'
    assert list(records(lines(text), ",")) == [
        (1, ["1", "a b", "2"]),
        (2, ["3", 'c "d" e', "4"]),
        (3, ["5", 'f g" h"', "6"]),
    ]


def test_a_field_without_end_is_refused() -> None:
    with pytest.raises(FileError) as caught:
        list(records(lines("a\nb\n" + "c" * 200_000), ","))
    assert (caught.value.code, caught.value.line) == ("record_too_long", 3)
