"""`make texts`: publish the texts of every SMS, with examples in their places, on the console and on a page.

Who gets an SMS can look up there whether it is one of ours.
"""

import json
import re
from pathlib import Path
from typing import Any

from shared.domain.message import short_day
from shared.domain.sms_texts import TEXTS, VERSION

ROOT = Path(__file__).resolve().parents[1]
CONSOLE = ROOT / "infra" / "local" / "console" / "sms_texts.json"
PAGE = ROOT / "docs" / "messages.md"
SENDER = "Gharama"
LANGUAGES = {"ar": "العربية", "ckb": "کوردی", "en": "English"}
EXAMPLES = {
    "plate_tail": "418",
    "count": "2",
    "total": "150,000",
    "rest": "50,000",
    "next_total": "300,000",
    "amount": "50,000",
    "next_amount": "100,000",
    "as_of": "24/11/2026 09:00",
    "receipt_no": "GH-7K3M9QXW4TR2D",
    "payment_no": "3f9a1c0e",
}
DAYS = {"date": "2026-12-24T00:00:00+03:00", "occurred": "2026-11-23T09:00:00+03:00"}
TODAY = "2026-11-24T09:00:00+03:00"

_BLOCK = re.compile(r"(?<=<!-- sms texts -->\n).*?(?=<!-- /sms texts -->)", re.DOTALL)


def published() -> dict[str, Any]:
    """Return the edition, the sender's name and each text by name and language."""
    values = {
        language: EXAMPLES | {name: short_day(instant, language, TODAY) for name, instant in DAYS.items()}
        for language in LANGUAGES
    }
    texts = {
        name: {language: text.format_map(values[language]) for language, text in by_language.items()}
        for name, by_language in TEXTS.items()
    }
    return {"edition": VERSION, "sender": SENDER, "texts": texts}


def shown(page: str) -> str:
    """Return the page with the texts as they are now, a table a language."""
    lines = []
    for language, name in LANGUAGES.items():
        lines += [f"<details><summary>{name}</summary>", "", "| message | text |", "| --- | --- |"]
        for kind, texts in published()["texts"].items():
            lines.append(f"| `{kind}` | {texts[language].replace(chr(10), '<br>')} |")
        lines += ["", "</details>", ""]
    return _BLOCK.sub("\n" + "\n".join(lines), page)


if __name__ == "__main__":
    CONSOLE.write_text(json.dumps(published(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(shown(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
