"""The report as one Arabic page that a clerk can read and print."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template
from typing import Any, Final

from shared.domain.money import grouped

_STATUS: Final = {
    "loaded": ("good", "حُمِّل الملف"),
    "loaded_with_many_rejects": ("fair", "حُمِّل الملف، وكثير من سجلاته مرفوض"),
    "failed": ("bad", "تعذر إكمال تحميل الملف"),
    "refused": ("bad", "رُفض الملف، ولم يُحمَّل منه شيء"),
}
_COUNTS: Final = {
    "rows": "سجلات الملف",
    "inserted": "جديدة",
    "updated": "محدَّثة",
    "unchanged": "بلا تغيير",
    "stale": "أقدم من المسجل",
    "rejected": "مرفوضة",
}

_PAGE: Final = Template("""<!doctype html>
<html lang="ar" dir="rtl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.7 "Segoe UI", Tahoma, sans-serif; color: #1d2733; max-width: 46rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 0 .25rem }
h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem }
.file { color: #5a6675; overflow-wrap: anywhere }
.status { border-inline-start: .4rem solid; padding: .5rem 1rem; margin: 1.25rem 0;
  background: #f4f6f8; font-weight: 600 }
.good { border-color: #1b7f4b } .fair { border-color: #b7791f } .bad { border-color: #b3261e }
.status p { margin: .25rem 0 0; font-weight: 400 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: start; padding: .4rem .6rem; border-bottom: 1px solid #dde3ea; vertical-align: top }
th { color: #5a6675; font-weight: 600 }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap }
tr.total td, tr.total th { font-weight: 700; color: inherit }
@media print { body { margin: 0 } }
</style>
</head>
<body>
<h1>تقرير تحميل الملف</h1>
<div class="file"><bdi dir="ltr">$file</bdi></div>
<div class="status $tone">$status$error</div>
$sections
</body>
</html>
""")


def page(report: dict[str, Any]) -> str:
    """The page of a report (``ingest.report``)."""
    tone, status = _STATUS[report["status"]]
    sections = [_section("السجلات", (), [_count(name, report["counts"][name]) for name in _COUNTS])]
    rejects = report["rejects"]
    if rejects:
        sections.append(_notices("أسباب الرفض", rejects["reasons"]))
        if rejects["key"]:
            where = f'<bdi dir="ltr">{escape(rejects["key"])}</bdi>'
            sections.append(f"<p>السجلات المرفوضة في {where}: صحّحها وارفع الملف نفسه ثانية.</p>")
    if report["warnings"]:
        sections.append(_notices("تنبيهات", report["warnings"]))
    times = {"بداية التحميل": report["timings"]["started_at"], "نهايته": report["timings"]["ended_at"]}
    rows = [f"<tr><th>{name}</th>{_number(time[:19].replace('T', ' '))}</tr>" for name, time in times.items()]
    sections.append(_section("الوقت (بغداد)", (), rows))
    return _PAGE.substitute(
        title=escape(f"تقرير {report['key']}"),
        file=escape(report["key"]),
        tone=tone,
        status=status,
        error=_error(report["error"]) if report["error"] else "",
        sections="\n".join(sections),
    )


def _error(error: dict[str, Any]) -> str:
    line = f" (السطر {grouped(error['line'])})" if error["line"] else ""
    return f"<p>{escape(error['message'])}{line}</p>"


def _count(name: str, count: int) -> str:
    kind = ' class="total"' if name == "rows" else ""
    return f"<tr{kind}><th>{_COUNTS[name]}</th>{_number(grouped(count))}</tr>"


def _notices(title: str, notices: Sequence[dict[str, Any]]) -> str:
    rows = [
        f"<tr><td>{escape(notice['message'])}</td>{_number(grouped(notice['rows']))}"
        f"{_number(grouped(notice['first_line']))}</tr>"
        for notice in notices
    ]
    return _section(title, ("السبب", "العدد", "أول سطر"), rows)


def _section(title: str, heads: Sequence[str], rows: Sequence[str]) -> str:
    head = f"<tr>{''.join(f'<th>{name}</th>' for name in heads)}</tr>" if heads else ""
    return f"<h2>{title}</h2>\n<table>{head}{''.join(rows)}</table>"


def _number(text: str) -> str:
    return f'<td class="number"><bdi dir="ltr">{escape(text)}</bdi></td>'
