"""`make openapi`: write the description where the function that serves it finds it."""

import json
from pathlib import Path

from infra.openapi.document import build
from query.api import DESCRIPTION

if __name__ == "__main__":
    Path(DESCRIPTION).write_text(json.dumps(build(), ensure_ascii=False, separators=(",", ":")) + "\n")
