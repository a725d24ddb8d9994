"""States as enumerations: what is stored and sent of them are their words, and a word of a later version is kept."""

from __future__ import annotations

import json
from enum import StrEnum

import orjson
import pytest

from shared.domain.file import FileStatus
from shared.domain.message import MessageKind, MessageStatus
from shared.domain.payment import PaymentStatus
from shared.domain.settlement import BatchStatus
from shared.stores.items import known, pack

STATES: tuple[type[StrEnum], ...] = (MessageKind, MessageStatus, FileStatus, PaymentStatus, BatchStatus)


@pytest.mark.parametrize("states", STATES)
def test_a_stored_word_is_the_state_that_it_names(states: type[StrEnum]) -> None:
    assert all(known(states, str(state)) is state for state in states)


@pytest.mark.parametrize("states", STATES)
def test_a_word_of_a_later_version_is_kept_and_is_no_state(states: type[StrEnum]) -> None:
    word = known(states, "held_for_review")
    assert (type(word), word) == (str, "held_for_review")
    assert word not in list(states)


@pytest.mark.parametrize("states", STATES)
def test_states_are_stored_and_sent_as_words(states: type[StrEnum]) -> None:
    for state in states:
        word = state.value
        assert type(word) is str
        assert json.loads(json.dumps({"status": state})) == {"status": word}
        assert orjson.loads(orjson.dumps({"status": state})) == {"status": word}
        assert pack({"status": state}) == {"status": {"S": word}}
        assert f"{state}" == str(state) == word
        assert {state: "found"}[word] == "found"
