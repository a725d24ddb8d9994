"""The rows of a file of registrations: which number stands on the registration card (السنوية) of which plate."""

from __future__ import annotations

import re
from typing import Final

from ingest.errors import CellError
from ingest.format.columns import REGISTRATION_COLUMNS
from ingest.format.parser import Parser, identifier, read_category, read_date, read_plate_key
from ingest.format.spreadsheet_made import bare, require_untouched
from shared.domain.registration import Registration, normal
from shared.domain.text import clean
from shared.domain.violation import make_version

# NULL, لا يوجد or 0000 stand for no number, and by typing one anybody would prove every such vehicle.
_HAS_DIGIT: Final = re.compile("[1-9]").search


class RegistrationParser(Parser[Registration]):
    """Rows of a file of registrations."""

    columns = REGISTRATION_COLUMNS

    def _row(self, line: int, record: tuple[str, ...]) -> Registration:
        family, governorate, kind, letter, serial, number, updated_at = record
        plate_key, category = read_plate_key(family, governorate, letter, serial), read_category(kind)
        written = bare(number.strip())
        registration_no = normal(written)
        if registration_no is None or not _HAS_DIGIT(registration_no):
            raise CellError("registration_no_malformed" if number.strip() else "missing", "registration_no")
        identifier("registration_no", clean(written), require_untouched)
        updated = read_date("updated_at", updated_at, self._latest)
        if category.unknown:
            self._warn_of_category(line)
        return Registration(
            plate_key,
            category.name,
            registration_no,
            make_version(updated, self._instant, line, uploaded_at=self._uploaded_at),
            updated is not None,
            f"{self._source.file_id}#{line}",
            self._source.last_modified,
        )
