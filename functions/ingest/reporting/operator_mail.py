"""Telling the operator's topic how a file ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest.reporting.report import accept_reopened, news_held, release_news, release_registry, to_look_at
from shared.domain.file import REGISTERED, FileStatus, told_under
from shared.stores.versioned import WAITING

Operator = Callable[[dict[str, Any]], None]
"""``operator(report)`` tells the operator how a file ended."""


def operator_topic(sns: Callable[[], Any], topic_arn: str) -> Operator:
    """The operator behind an SNS topic. sns: makes a boto3 client, which only the end of a file needs."""

    def tell(report: dict[str, Any]) -> None:
        sns().publish(TopicArn=topic_arn, Subject=subject(report), Message=body(report))

    return tell


def subject(report: dict[str, Any]) -> str:
    """The subject of the mail: how the file ended. Its name may be in Arabic, which SNS takes only in the body."""
    if report["status"] == FileStatus.NOTHING_LOADED:
        return "Gharama: nothing of a file was loaded"
    if release_registry(report):
        return "Gharama: numbers of a registration file wait"
    if news_held(report):
        return "Gharama: the news of a file are held back"
    return f"Gharama: a file is {report['status'].replace('_', ' ')}"


def body(report: dict[str, Any]) -> str:
    """The mail: which file, its counts, what is wrong or should be looked at, and what to do about it."""
    counts, error = report["counts"], report["error"]
    lines = [
        f"{report['key']} (version {report['version_id']}): {report['status']}",
        f"{counts['rows']:,} rows: "
        + ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in REGISTERED if outcome in counts),
        f"Report: reports/{told_under(report['key'])}.{report['version_id']}.json",
    ]
    if error:
        lines.append(f"Error: {error['code']}. {error['message_en']}")
        if error["replay"]:
            lines.append(f"Once its cause is mended: {error['replay']}")
    lines += [
        f"{warning['rows']:,} rows, first in line {warning['first_line']:,}: {warning['code']}. {warning['message_en']}"
        for warning in to_look_at(report)
    ]
    if release := release_news(report):
        lines.append(f"Nobody hears of {news_held(report):,} news until, once the file is seen to be right: {release}")
    if release := release_registry(report):
        lines.append(
            f"{counts[WAITING]:,} rows would replace registration numbers, with which people proved their vehicles,"
            f" and wait for thirty days. Once the file is seen to be right: {release}"
        )
    if accept := accept_reopened(report):
        lines.append(f"If violations that were paid or cancelled are to be open again: {accept}")
    return "\n".join(lines)
