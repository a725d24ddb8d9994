"""The report as one Arabic page that a clerk can read and print: how the file ended, and what to do now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from string import Template
from typing import Any, Final

from ingest.format.notices import FIRST
from ingest.format.origins import REGISTRY
from ingest.reporting import rejects
from ingest.reporting.help_page import KEY, link
from ingest.reporting.report import (
    REOPENS_UNDATED,
    accept_reopened,
    release_news,
    release_registry,
    to_look_at,
    would_be,
)
from shared.domain.file import FileStatus, origin_of
from shared.domain.money import grouped

Report = dict[str, Any]

_STATUS: Final = {
    FileStatus.LOADED: ("good", "حُمِّل الملف"),
    FileStatus.MANY_REJECTS: ("fair", "حُمِّل الملف، وكثير من سجلاته مرفوض"),
    FileStatus.NOTHING_LOADED: ("bad", "قُرئ الملف، ولم يؤخذ من سجلاته شيء"),
    FileStatus.NUMBERS_WAIT: ("fair", "حُمِّل الجديد من الملف، وينتظر الإذن ما يغيّر أرقام السنوية"),
    FileStatus.FAILED: ("bad", "لم يكتمل تحميل الملف"),
    FileStatus.REFUSED: ("bad", "رُفض الملف، ولم يُحمَّل منه شيء"),
    FileStatus.CHECKED: ("good", "فُحص الملف، ولم يُحمَّل"),
}
_COUNTS: Final = {
    "inserted": "مخالفات جديدة",
    "updated": "مخالفات تغيّرت",
    "unchanged": "بلا تغيير",
    "stale": "أقدم مما لدينا، فلم تُؤخذ",
    "rejected": "مرفوضة",
}
_FORESEEN: Final = {
    "moved": "مخالفات تنتقل إلى لوحة أخرى",
    "reopened": "مخالفات مسددة أو ملغاة تصير غير مسددة",
    "people": "أشخاص يُبلَّغون",
    "messages": "رسائل تُرسل إليهم",
}
_REGISTERED: Final = {
    **_COUNTS,
    "inserted": "مركبات جديدة",
    "updated": "مركبات تغيّر رقم سنويتها",
    "waiting": "تغيّر رقم سنوية، وتنتظر الإذن",
}
"""The same of a file of registrations."""

_PAGE: Final = Template("""<!doctype html>
<html lang="ar" dir="rtl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { --ink: #1d2733; --soft: #5a6675; --line: #dde3ea; --tone: #1b7f4b; --tint: #eef7f1 }
.fair { --tone: #9a5b00; --tint: #fdf5e6 } .bad { --tone: #b3261e; --tint: #fdf0ef }
.attention { --tone: #b3261e }
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
<h1>$heading</h1>
<p class="file">$file</p>
<p class="file">$times</p>
<div class="status"><strong>$status</strong>$check$error</div>
$sections
<p class="file">لكل سبب شرح وعلاج في دليل الملفات: $guide</p>
</body>
</html>
""")


def page(report: Report) -> str:
    """The page of a report (:mod:`ingest.reporting.report`)."""
    tone, _ = _STATUS[FileStatus(would_be(report))]
    rejected, check = report["rejects"], report.get("check")
    if tone == "good" and (rejected or to_look_at(report)):
        tone = "fair"
    sections = [_what_to_do(report)]
    if report["counts"]["rows"]:
        sections.append(_counts(report))
    if check and report["counts"]["rows"] and origin_of(report["key"]) != REGISTRY:
        sections.append(_foreseen(report))
    if rejected:
        sections.append(_notices("أسباب الرفض", rejected["reasons"], report["key"]))
    if report["warnings"]:
        sections.append(_notices("تنبيهات", report["warnings"], report["key"]))
    return _PAGE.substitute(
        title=escape(f"تقرير {report['key']}"),
        file=_path(report["key"]),
        times=_times(report["timings"]),
        heading="تقرير فحص الملف" if check else "تقرير تحميل الملف",
        tone=tone,
        status=_STATUS[report["status"]][1],
        check=_only_checked(report) if check else "",
        error=_error(report["error"], report["key"]) if report["error"] else _first(report),
        sections="\n".join(sections),
        guide=_path(KEY),
    )


def _only_checked(report: Report) -> str:
    check, ends = report["check"], ""
    if report["status"] == FileStatus.CHECKED:
        ends = f"<p>لو رُفع للتحميل لقيل فيه: {_STATUS[FileStatus(would_be(report))][1]}</p>"
    return f'<p>{escape(check["message"])}</p><p dir="ltr" lang="en">{escape(check["message_en"])}</p>{ends}'


def _error(error: Report, key: str) -> str:
    line = f" (السطر {grouped(error['line'])})" if error["line"] else ""
    return f"<p>{_explained(error, line, key)}</p>"


def _first(report: Report) -> str:
    """Show what is told before all counts, whatever else there is to say."""
    told = [(warning, warning["rows"]) for warning in report["warnings"] if warning["code"] in FIRST]
    return "".join(f"<p>{_explained(each, f' ({grouped(rows)})', report['key'])}</p>" for each, rows in told)


def _explained(notice: Report, more: str, key: str) -> str:
    """Show what an error or notice says, leading to its section of the guide."""
    return f'<a href="{escape(link(key, notice["code"]))}">{escape(notice["message"])}{more}</a>'


def _what_to_do(report: Report) -> str:
    """Tell the clerk what to do now, by how the file ended."""
    look = [escape(warning["message"]) for warning in to_look_at(report)]
    if release := release_news(report):
        look.append(f"إن كان الملف صحيحاً فأبلغ مشغّل النظام ليأذن بإبلاغ المتابعين: <code>{_latin(release)}</code>")
    if release := release_registry(report):
        look.append(
            "يغيّر الملف أرقام سنوية كثيرة. إن كان صحيحاً فأبلغ مشغّل النظام ليأذن بتغييرها خلال ثلاثين يوماً:"
            f" <code>{_latin(release)}</code>"
        )
    to_load = list(_to_load(report))
    steps: Sequence[str]
    if report["status"] == FileStatus.FAILED:
        replay = report["error"]["replay"]
        command = f": <code>{_latin(replay)}</code>" if replay else ""
        steps = (f"أبلغ مشغّل النظام{command}",)
    elif report["status"] == FileStatus.REFUSED:
        sample = f"ما رُفض من أول سجلاته، وسبب كل منها: <code>{_path(rejects.key_of(report['key']))}</code>"
        told = (sample,) if report["rejects"] else ()
        steps = ("عالج السبب المذكور أعلاه.", *told, "ارفع الملف كاملاً مرة ثانية.")
    elif report["rejects"]:
        steps = [*_mend(report), *look, *to_load]
    elif look or to_load:
        steps = [*look, *to_load]
    elif would_be(report) == FileStatus.NOTHING_LOADED:
        steps = ("سجلات الملف كلها أقدم مما لدينا؛ تأكد أنه الملف المقصود.",)
    else:
        return "<h2>ما العمل الآن؟</h2>\n<p>لا شيء، حُمِّلت سجلات الملف كلها.</p>"
    return f"<h2>ما العمل الآن؟</h2>\n<ol>{''.join(f'<li>{step}</li>' for step in steps)}</ol>"


def _to_load(report: Report) -> Iterator[str]:
    """Tell how a file that was only checked is loaded, if there is anything of it to load."""
    if report["status"] == FileStatus.CHECKED and would_be(report) != FileStatus.NOTHING_LOADED:
        mended = "، وبعده السجلات المصححة إلى المجلد نفسه" if report["rejects"] else ""
        yield f"لتحميل الملف ارفعه إلى المجلد <code>{_latin(origin_of(report['key']) + '/')}</code>{mended}."


def _mend(report: Report) -> Iterator[str]:
    """Tell how rejected rows are mended, and how those that are right come in all the same."""
    codes = {reason["code"] for reason in report["rejects"]["reasons"]}
    if codes - {REOPENS_UNDATED}:
        folder = origin_of(report["key"])
        dates = "" if folder == REGISTRY else f" وجعل مثل {_latin('25/3')} تاريخاً"
        yield f"افتح ملف السجلات المرفوضة: <code>{_path(rejects.key_of(report['key']))}</code>"
        yield (
            "في Excel استورده من «بيانات» ثم «من نص/CSV» واجعل الأعمدة كلها نصاً، وإلا أسقط الأصفار من أول الأرقام"
            f"{dates}."
        )
        yield "صحّح كل سجل؛ سبب رفضه مكتوب أمامه في عمود <code>error</code>."
        if not list(_to_load(report)):
            yield (
                f"ارفع ذلك الملف كما هو إلى المجلد <code>{_latin(folder + '/')}</code>،"
                " ولا حاجة إلى رفع الملف الأول ثانية."
            )
    if accept := accept_reopened(report):
        yield (
            "في الملف سجلات تجعل المسدد أو الملغى غير مسدد: إن كان ذلك صحيحاً فاكتب تاريخ تحديثها، أو أبلغ مشغّل النظام:"
            f" <code>{_latin(accept)}</code>"
        )


def _counts(report: Report) -> str:
    counts, rows = report["counts"], []
    for name, words in (_REGISTERED if origin_of(report["key"]) == REGISTRY else _COUNTS).items():
        attention = ' class="attention"' if name == "rejected" and counts[name] else ""
        rows.append(f"<tr{attention}><th>{words}</th>{_number(grouped(counts.get(name, 0)))}</tr>")
    foot = f"<tfoot><tr><th>المجموع</th>{_number(grouped(counts['rows']))}</tr></tfoot>"
    title = "لو حُمِّل الملف لكانت سجلاته" if report.get("check") else "سجلات الملف"
    return f"<h2>{title}</h2>\n<table><tbody>{''.join(rows)}</tbody>{foot}</table>"


def _foreseen(report: Report) -> str:
    """Show what else loading the file would come to."""
    check = report["check"]
    rows = [f"<tr><th>{words}</th>{_number(grouped(check[name]))}</tr>" for name, words in _FORESEEN.items()]
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


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
