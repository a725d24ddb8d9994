"""Iraqi mobile numbers, against Google's libphonenumber."""

from __future__ import annotations

import phonenumbers
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from shared.domain.phone import to_e164

PREFIXES = st.sampled_from(["+964", "00964", "964", "0", "", "+9640"])
DIGITS = st.from_regex(r"[1-9][0-9]{6,11}", fullmatch=True)
MOBILES = st.from_regex(r"7[0-9]{9}", fullmatch=True)


def by_google(text: str) -> str | None:
    """The number as E.164 where libphonenumber takes it for an Iraqi mobile."""
    try:
        number = phonenumbers.parse(text, "IQ")
    except phonenumbers.NumberParseException:
        return None
    mobile = phonenumbers.number_type(number) == PhoneNumberType.MOBILE
    valid = mobile and phonenumbers.is_valid_number_for_region(number, "IQ")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if valid else None


@given(prefix=PREFIXES, digits=MOBILES | DIGITS)
def test_what_is_taken_is_what_google_takes(prefix: str, digits: str) -> None:
    text = prefix + digits
    ours = to_e164(text)
    assert ours is None or ours == by_google("+964" + digits[-10:])
    if ours is None:
        assert by_google(text) is None


@given(digits=st.from_regex(r"7[3-9][0-9]{8}", fullmatch=True), prefix=PREFIXES)
def test_every_mobile_is_taken_however_it_is_typed(digits: str, prefix: str) -> None:
    assert to_e164(prefix + digits) == "+964" + digits
