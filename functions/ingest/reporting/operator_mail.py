"""Telling the operator's topic how a file ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.file import OUTCOMES

Operator = Callable[[dict[str, Any]], None]
"""``operator(report)`` tells the operator how a file ended."""


def operator_topic(sns: Callable[[], Any], topic_arn: str) -> Operator:
    """The operator behind an SNS topic. sns: makes a boto3 client, which only the end of a file needs."""

    def tell(report: dict[str, Any]) -> None:
        sns().publish(TopicArn=topic_arn, Subject=subject(report), Message=body(report))

    return tell


def subject(report: dict[str, Any]) -> str:
    """The subject of the mail: how the file ended. Its name may be in Arabic, which SNS takes only in the body."""
    return f"Gharama: a file is {report['status'].replace('_', ' ')}"


def body(report: dict[str, Any]) -> str:
    """The mail: which file, its counts, what is wrong and what to do about it."""
    counts, error = report["counts"], report["error"]
    lines = [
        f"{report['key']} (version {report['version_id']}): {report['status']}",
        f"{counts['rows']:,} rows: " + ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in OUTCOMES),
        f"Report: reports/{report['key']}.{report['version_id']}.json",
    ]
    if error:
        lines.append(f"Error: {error['code']}. {error['message_en']}")
        if error["replay"]:
            lines.append(f"Once its cause is mended: {error['replay']}")
    return "\n".join(lines)
