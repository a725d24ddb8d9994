"""LibreOffice as the damager: a right file that it opened and saved is loaded as it was meant, or it is told."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.exports import (
    AMOUNT_FORMS,
    DOTS,
    NUMBER_FORMS,
    Export,
    Forms,
    as_csv,
    export,
    require_right_or_told,
)

UPLOADED = date(2026, 11, 30)
NOVEMBER = [UPLOADED - timedelta(days=before) for before in range(4, 30)]
"""Days of one month, so that no other month is meant where day and month change places."""
EARLY = [date(2026, 11, day) for day in range(1, 8)]
"""Of which every one can be read as a day of another month."""

EXPORTS = {
    "months": export(NOVEMBER, UPLOADED, Forms("%d/%m/%Y", NUMBER_FORMS["of a year"])),
    "iso": export(NOVEMBER, UPLOADED, Forms("%Y-%m-%d %H:%M:00", amount=AMOUNT_FORMS["commas"])),
    "early": export(EARLY, UPLOADED, Forms("%d/%m/%Y %H:%M", NUMBER_FORMS["of two parts"])),
    "early-iso": export(EARLY, UPLOADED, Forms("%Y-%m-%d"), arabic=False),
    "one": export(EARLY[3:4], UPLOADED, Forms(number=NUMBER_FORMS["twelve digits"])),
    "dots": export(NOVEMBER, UPLOADED, Forms("%Y-%m-%d", NUMBER_FORMS["with letters"], DOTS)),
    "long": export(NOVEMBER, UPLOADED, Forms(number=NUMBER_FORMS["twenty digits"], receipt=NUMBER_FORMS["year first"])),
    "codes": export(NOVEMBER, UPLOADED, Forms("%Y-%m-%d", code="3/4", sector="7-26"), origin="backlog"),
}
pytestmark = pytest.mark.xdist_group("soffice")

LOCALES = ("en-US", "ar-IQ")
TO = {
    "xlsx": "xlsx:Calc MS Excel 2007 XML",
    "csv": "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false",
}
"""As it saves a file: of a CSV file each cell as it is shown."""
OPENED = "CSV:44,34,76,1,,0,false,true"
"""As a file is opened whose numbers of another country are to be seen: in the language of the program."""
PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{}</value></prop></item></oor:items>
"""


class Saved(NamedTuple):
    """Where the files lie that were saved in a language."""

    language: str
    folder: Path

    def read(self, name: str, kind: str) -> bytes:
        return (self.folder / kind / f"{name}.{kind}").read_bytes()


@pytest.fixture(scope="module", params=LOCALES)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """All files, opened and saved once in a language: a start of the program takes seconds."""
    soffice = shutil.which("soffice")
    if soffice is None:
        pytest.skip("soffice is not installed")
    folder = tmp_path_factory.mktemp("office")
    for name, right in EXPORTS.items():
        (folder / f"{name}.csv").write_bytes(as_csv(right.cells(right.written)))
    profile = folder / "home" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(PROFILE.format(request.param))
    command = [soffice, f"-env:UserInstallation=file://{folder}/home", "--headless", f"--infilter={OPENED}"]
    for kind, to in TO.items():
        files = [str(folder / f"{name}.csv") for name in EXPORTS]
        out = ["--convert-to", to, "--outdir", str(folder / kind)]
        subprocess.run([*command, *out, *files], capture_output=True, check=True, timeout=120)
    return Saved(request.param, folder)


@pytest.mark.parametrize(("name", "right"), EXPORTS.items(), ids=EXPORTS)
def test_the_right_file_is_loaded(name: str, right: Export) -> None:
    found = right.take(right.written, sheet=False)
    if name == "dots":  # fifty, or fifty thousand: nobody can tell
        assert found.refused
        assert found.refused.value == "100.0%: amount"
        return
    assert not found.refused
    assert not found.rejected
    require_right_or_told(right, found)


@pytest.mark.parametrize("kind", TO)
@pytest.mark.parametrize("name", EXPORTS)
def test_what_libreoffice_saved_is_as_it_was_meant_or_told(saved: Saved, name: str, kind: str) -> None:
    right = EXPORTS[name]
    require_right_or_told(right, right.take_bytes(saved.read(name, kind)))


SEEN = {
    "en-US": {
        ("months", "xlsx"): {"date_kinds_mixed"},
        ("long", "xlsx"): {"date_kinds_mixed"},
        ("early", "xlsx"): {"dates_swapped"},
        ("one", "xlsx"): {"dates_perhaps_swapped"},
    },
    "ar-IQ": {},
}
"""By which code the dates are seen that were read month first: a CSV file shows them as they were."""


def test_dates_are_read_month_first_where_the_language_has_it_so(saved: Saved) -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    for name, kind in itertools.product(EXPORTS, TO):
        found = EXPORTS[name].take_bytes(saved.read(name, kind))
        codes = [found.refused.code] if found.refused else [code for _, code in found.told]
        if of_dates := {code for code in codes if code.startswith("date")}:
            seen[name, kind] = of_dates
    assert seen == SEEN[saved.language]
