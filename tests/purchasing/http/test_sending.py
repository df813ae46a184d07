"""A request has its time to connect, then its time to be sent, and then its time to be answered."""

from __future__ import annotations

import asyncio

from flux2build.purchasing.http.sending import Sending


def test_each_stage_has_a_time_of_its_own() -> None:
    """Sending and answer begin anew; the steps within them do not."""

    async def exchange() -> list[float]:
        sending = Sending()
        async with sending.bounded(5, 90):
            deadline = sending._deadline
            assert deadline is not None
            ends = [deadline.when() or 0]
            for step in (
                "connection.connect_tcp.started",
                "http11.send_request_headers.started",
                "http11.send_request_body.started",
                "http11.receive_response_headers.started",
                "http11.receive_response_body.started",
            ):
                await sending(step, {})
                ends.append(deadline.when() or 0)
        return ends

    connecting, connected, sent, still_sent, answered, still_answered = asyncio.run(exchange())

    assert connecting == connected
    assert 80 < sent - connected < 90
    assert sent == still_sent < answered == still_answered
