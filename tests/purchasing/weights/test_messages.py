"""Messages between a build and its worker: what is sent arrives, and an end is told as one."""

from __future__ import annotations

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.purchasing.weights.messages import Message, encoded, read, receive

FACTS = st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none())
MESSAGES = st.lists(
    st.builds(Message, st.text(), FACTS, st.lists(st.binary(max_size=100))), min_size=1, max_size=3
)


@given(MESSAGES, st.data())
def test_what_is_sent_arrives(messages: list[Message], data: st.DataObject) -> None:
    """Both ends read messages one after the other; a stream that is cut ends them."""
    sent = b"".join(map(encoded, messages))
    stream = io.BytesIO(sent)
    assert [read(stream) for _ in messages] == messages

    cut = sent[: data.draw(st.integers(0, len(sent) - 1))]

    async def received() -> list[Message]:
        reader = asyncio.StreamReader()
        reader.feed_data(cut)
        reader.feed_eof()
        return [await receive(reader) for _ in messages]

    with pytest.raises(EOFError):
        asyncio.run(received())
    stream = io.BytesIO(cut)
    with pytest.raises(EOFError):
        _ = [read(stream) for _ in messages]
