"""One message that tells of several new followers: whoever comes first puts it, and whoever comes later finds it."""

from __future__ import annotations

from shared.aws_json import Json


def gathered(put: Json) -> Json:
    """Return the action that puts a message as ``put`` does, if it is not there.

    Its condition says no once the message does not wait any more: it told of nobody who comes later.
    """
    item = {name: value for name, value in put["Put"]["Item"].items() if name != "pk"}
    kept = ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in item)
    return {
        "Update": {
            "TableName": put["Put"]["TableName"],
            "Key": {"pk": put["Put"]["Item"]["pk"]},
            "UpdateExpression": f"SET {kept}",
            "ConditionExpression": "attribute_not_exists(pk) OR #status = :status",
            "ExpressionAttributeNames": {f"#{name}": name for name in item},
            "ExpressionAttributeValues": {f":{name}": value for name, value in item.items()},
        }
    }
