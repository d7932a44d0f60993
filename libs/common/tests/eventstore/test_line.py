"""The line of the appends leaves nothing behind in the event loop when its connection dies under it."""

import asyncio
import os
import socket
from contextlib import suppress

import psycopg
import pytest

from letopis.common.database import open_engine
from letopis.common.eventstore.line import Line, LineLost

from .test_contract import prepare

ASLEEP = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"


class TestLine:
    async def test_does_not_deafen_whoever_gets_its_descriptor(self, database):
        """Libpq closes the descriptor where it meets the end; somebody else opens one with the same number at once."""
        made = database(prepare=prepare)
        engine = open_engine(made.app_url, autocommit=True)
        line = Line(engine, {"sleep": "(text) AS SELECT pg_catalog.pg_sleep(600), $1"})
        await line._opened()
        number = line._connection.pgconn.socket
        loop = asyncio.get_running_loop()
        mine, theirs = socket.socketpair()
        mine.setblocking(False)
        heard = asyncio.Event()
        taken = []
        # The same socket once more: it is ready whenever the line's own is, also after that is closed.
        twin = os.dup(number)

        def take(*, again=True):
            with suppress(OSError):
                os.fstat(number)
                # The line has not heard it yet; it will in this turn of the loop.
                if again:
                    loop.call_soon(lambda: take(again=False))
                return
            loop.remove_reader(twin)
            taken.append(os.dup2(mine.fileno(), number))
            loop.add_reader(number, heard.set)

        loop.add_reader(twin, take)
        try:
            asking = asyncio.create_task(line.ask("sleep", [b""]))
            # The question is sent before this task goes on; nobody hears the answer while it asks.
            await asyncio.sleep(0)
            with psycopg.connect(made.superuser_url, autocommit=True) as connection:
                while not (asleep := connection.execute(ASLEEP).fetchone()):
                    pass
                connection.execute("SELECT pg_terminate_backend(%s)", asleep)
            with pytest.raises(LineLost):
                await asking
            assert taken == [number]
            theirs.send(b"x")
            await asyncio.wait_for(heard.wait(), 60)
        finally:
            loop.remove_reader(number)
            for one in taken or []:
                os.close(one)
            os.close(twin)
            mine.close()
            theirs.close()
            await engine.dispose()
