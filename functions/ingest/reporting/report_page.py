"""The report as one Arabic page that a clerk can read and print: how the file ended, and what to do now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from string import Template
from typing import Any, Final

from ingest.reporting import rejects
from ingest.reporting.help_page import KEY, link
from shared.domain.file import FileStatus
from shared.domain.money import grouped

Report = dict[str, Any]

_STATUS: Final = {
    FileStatus.LOADED: ("good", "حُمِّل الملف"),
    FileStatus.MANY_REJECTS: ("fair", "حُمِّل الملف، وكثير من سجلاته مرفوض"),
    FileStatus.FAILED: ("bad", "لم يكتمل تحميل الملف"),
    FileStatus.REFUSED: ("bad", "رُفض الملف، ولم يُحمَّل منه شيء"),
}
_COUNTS: Final = {
    "inserted": "مخالفات جديدة",
    "updated": "مخالفات تغيّرت",
    "unchanged": "بلا تغيير",
    "stale": "أقدم مما لدينا، فلم تُؤخذ",
    "rejected": "مرفوضة",
}

_PAGE: Final = Template("""<!doctype html>
<html lang="ar" dir="rtl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { --ink: #1d2733; --soft: #5a6675; --line: #dde3ea; --tone: #1b7f4b; --tint: #eef7f1 }
.fair { --tone: #9a5b00; --tint: #fdf5e6 } .bad { --tone: #b3261e; --tint: #fdf0ef }
body { font: 16px/1.65 "Segoe UI", Tahoma, "Noto Naskh Arabic", sans-serif; color: var(--ink);
  max-width: 46rem; margin: 2rem auto; padding: 0 1.25rem }
h1 { font-size: 1.35rem; line-height: 1.4; margin: 0 }
h2 { font-size: 1.05rem; margin: 1.4rem 0 .3rem }
.file { color: var(--soft); overflow-wrap: anywhere; margin: .1rem 0 0 }
.status { border-inline-start: .45rem solid var(--tone); border-radius: .35rem; background: var(--tint);
  padding: .8rem 1.1rem; margin: 1.25rem 0 }
.status strong { color: var(--tone); font-size: 1.15rem }
.status p { margin: .35rem 0 0 }
ol, ul { margin: .3rem 0; padding-inline-start: 1.4rem }
code { font: .92em ui-monospace, Consolas, monospace; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: start; padding: .25rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top }
thead th { color: var(--soft); font-weight: 600 }
tbody th { font-weight: 400 }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; width: 7rem }
tfoot th, tfoot td { font-weight: 700; border-bottom: 0 }
tr.attention { color: var(--tone); font-weight: 600 }
a { color: inherit; text-decoration-style: dotted; text-underline-offset: .25em }
@media print { body { margin: 0; max-width: none } .status { border: 1px solid var(--tone) } }
</style>
</head>
<body class="$tone">
<h1>تقرير تحميل الملف</h1>
<p class="file">$file</p>
<p class="file">$times</p>
<div class="status"><strong>$status</strong>$error</div>
$sections
<p class="file">لكل سبب شرح وعلاج في دليل الملفات: $guide</p>
</body>
</html>
""")


def page(report: Report) -> str:
    """The page of a report (:mod:`ingest.reporting.report`)."""
    tone, status = _STATUS[report["status"]]
    rejected = report["rejects"]
    sections = [_what_to_do(report)]
    if report["counts"]["rows"]:
        sections.append(_counts(report["counts"]))
    if rejected:
        sections.append(_notices("أسباب الرفض", rejected["reasons"], report["key"]))
    if report["warnings"]:
        sections.append(_notices("تنبيهات", report["warnings"], report["key"]))
    return _PAGE.substitute(
        title=escape(f"تقرير {report['key']}"),
        file=_path(report["key"]),
        times=_times(report["timings"]),
        tone=tone,
        status=status,
        error=_error(report["error"], report["key"]) if report["error"] else "",
        sections="\n".join(sections),
        guide=_path(KEY),
    )


def _error(error: Report, key: str) -> str:
    line = f" (السطر {grouped(error['line'])})" if error["line"] else ""
    return f"<p>{_explained(error, line, key)}</p>"


def _explained(notice: Report, more: str, key: str) -> str:
    """Show what an error or notice says, leading to its section of the guide."""
    return f'<a href="{escape(link(key, notice["code"]))}">{escape(notice["message"])}{more}</a>'


def _what_to_do(report: Report) -> str:
    """Tell the clerk what to do now, by how the file ended."""
    unread = [escape(warning["message"]) for warning in report["warnings"] if warning["code"] == "sheets_unread"]
    steps: Sequence[str]
    if report["status"] == FileStatus.FAILED:
        replay = report["error"]["replay"]
        command = f": <code>{_latin(replay)}</code>" if replay else ""
        steps = (f"أبلغ مشغّل النظام{command}",)
    elif report["status"] == FileStatus.REFUSED:
        steps = ("عالج السبب المذكور أعلاه.", "ارفع الملف كاملاً مرة ثانية.")
    elif report["rejects"]:
        rejected = _path(rejects.key_of(report["key"]))
        steps = (
            f"افتح ملف السجلات المرفوضة: <code>{rejected}</code>",
            "في Excel استورده من «بيانات» ثم «من نص/CSV» واجعل الأعمدة كلها نصاً، وإلا أسقط الأصفار من أول الأرقام"
            f" وجعل مثل {_latin('25/3')} تاريخاً.",
            "صحّح كل سجل؛ سبب رفضه مكتوب أمامه في عمود <code>error</code>.",
            "ارفع ذلك الملف كما هو، ولا حاجة إلى رفع الملف الأول ثانية.",
            *unread,
        )
    elif unread:
        steps = unread
    else:
        return "<h2>ما العمل الآن؟</h2>\n<p>لا شيء، حُمِّلت سجلات الملف كلها.</p>"
    return f"<h2>ما العمل الآن؟</h2>\n<ol>{''.join(f'<li>{step}</li>' for step in steps)}</ol>"


def _counts(counts: dict[str, int]) -> str:
    rows = []
    for name, words in _COUNTS.items():
        attention = ' class="attention"' if name == "rejected" and counts[name] else ""
        rows.append(f"<tr{attention}><th>{words}</th>{_number(grouped(counts[name]))}</tr>")
    foot = f"<tfoot><tr><th>المجموع</th>{_number(grouped(counts['rows']))}</tr></tfoot>"
    return f"<h2>سجلات الملف</h2>\n<table><tbody>{''.join(rows)}</tbody>{foot}</table>"


def _notices(title: str, notices: Iterable[Report], key: str) -> str:
    rows = [
        f"<tr><th>{_explained(notice, '', key)}</th>{_number(grouped(notice['rows']))}"
        f"{_number(grouped(notice['first_line']))}</tr>"
        for notice in notices
    ]
    head = "<thead><tr><th>السبب</th><th>عدد السجلات</th><th>أول سطر</th></tr></thead>"
    return f"<h2>{title}</h2>\n<table>{head}<tbody>{''.join(rows)}</tbody></table>"


def _times(timings: Report) -> str:
    names = {"وصل": "uploaded_at", "بدأت قراءته": "started_at", "انتهى": "ended_at"}
    return "، ".join(
        f"{words} {_latin(timings[name][:19].replace('T', ' '))}" for words, name in names.items() if timings[name]
    )


def _number(text: str) -> str:
    return f'<td class="number">{_latin(text)}</td>'


def _path(key: str) -> str:
    """A key of the bucket; a name in Arabic keeps to its own part of it."""
    return f'<bdi dir="ltr">{"/".join(f"<bdi>{escape(part)}</bdi>" for part in key.split("/"))}</bdi>'


def _latin(text: str) -> str:
    """A text that is read from left to right inside Arabic."""
    return f'<bdi dir="ltr">{escape(text)}</bdi>'
