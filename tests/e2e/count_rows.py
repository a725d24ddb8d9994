"""What a file of the directorate should come to, counted without the product: ``python count_rows.py FILE``."""

import csv
import json
import re
import sys
from datetime import datetime

LETTERS = {"german": "[اأبتثجحخدذرزسشصضطظعغفقكلمنهوىي]", "unified": "[A-Z]", "old": "", "kurdistan": ""}


def is_good(row):
    try:
        datetime.fromisoformat(row["occurred_at"])
    except ValueError:
        return False
    rules = {"plate_letter": LETTERS.get(row["plate_family"], "none"), "plate_governorate": "1[1-9]|2[0-9]"}
    rules |= {"plate_number": "[0-9]+", "amount": "[1-9][0-9]*", "violation_code": ".+"}
    return all(re.fullmatch(rule, row[name]) for name, rule in rules.items())


with open(sys.argv[1], encoding="utf-8", newline="") as file:
    judged = [(row["violation_no"], is_good(row)) for row in csv.DictReader(file)]
good = [number for number, is_good in judged if is_good]
counts = {"rows": len(judged), "inserted": len(set(good)), "rejected": len(judged) - len(good)}
print(json.dumps({**counts, "again": len(good) - len(set(good))}))
