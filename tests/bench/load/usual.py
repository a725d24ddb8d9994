"""The row of the ordinary way: one pydantic model of the file's columns, checked as the format's rules are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

PREFIXES = {"german": "DE", "old": "OLD", "kurdistan": "KR", "unified": "UN"}


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


Absent = BeforeValidator(_empty_is_none)
Code = Annotated[str, Field(min_length=1, max_length=16)]
Text = Annotated[Annotated[str, Field(max_length=200)] | None, Absent]
Letter = Annotated[str, Field(min_length=1, max_length=1)]
Due = Annotated[int, Field(ge=0, le=200_000_000)]
Moment = Annotated[datetime | None, Absent]
Governorate = Annotated[str, Field(pattern=r"^(1[1-9]|2[0-9])$")]


class Row(BaseModel):
    """A violation."""

    violation_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z/-]{1,32}$")]
    plate_family: Literal["german", "old", "kurdistan", "unified"]
    plate_governorate: Governorate
    plate_category: Text = None
    plate_letter: Annotated[Letter | None, Absent] = None
    plate_number: Annotated[str, Field(pattern=r"^[0-9]{1,7}$")]
    violation_code: Code
    violation_title: Text = None
    legal_ref: Text = None
    amount: Annotated[int, Field(ge=1, le=100_000_000)]
    amount_due: Annotated[Due | None, Absent] = None
    doubled_at: Moment = None
    occurred_at: datetime
    recorded_at: Moment = None
    sector_code: Code
    sector_name: Text = None
    sector_governorate: Annotated[Governorate | None, Absent] = None
    place: Text = None
    status: Literal["open", "paid", "cancelled", "disputed"] = "open"
    paid_at: Moment = None
    receipt_no: Text = None
    updated_at: Moment = None

    @model_validator(mode="after")
    def _letter_fits_family(self) -> Row:
        if (self.plate_letter is not None) != (self.plate_family in ("german", "unified")):
            raise ValueError("letter and family do not fit")
        return self

    def item(self) -> dict[str, Any]:
        """The item as boto3's resource takes it."""
        parts = (PREFIXES[self.plate_family], self.plate_governorate, self.plate_letter, self.plate_number)
        values = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in self.model_dump().items()
            if value is not None
        }
        return {"pk": self.violation_no, "plate": "#".join(filter(None, parts)), **values}
