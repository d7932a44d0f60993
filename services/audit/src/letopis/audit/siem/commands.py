"""`letopis siem`: receive security events to try an export, and check that what was received is complete."""

import asyncio
import ssl
import sys
from contextlib import suppress
from pathlib import Path

from cyclopts import App

from letopis.audit.siem.listening import Listening
from letopis.audit.siem.sending import PORT
from letopis.audit.siem.syslog import Receiving

app = App(name="siem", help="Security events for the bank's SIEM: try the export, check what was received.")


@app.command
def receive(*, certificate: Path, key: Path, out: Path, host: str = "127.0.0.1", port: int = PORT) -> int:
    """Receive security events over TLS into a file, a message a line, until interrupted: to try an export, or to
    hold one's SIEM against. `certificate` and `key` are PEM files.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with out.open("ab", buffering=0) as file:

        def told(message: bytes, _event: object) -> None:
            file.write(message + b"\n")

        async def listening() -> None:
            one = Listening(context=context, told=told)
            _say(f"receiving at syslog+tls://{host}:{await one.serve(host, port)}")
            sys.stdout.flush()
            await asyncio.Event().wait()

        with suppress(KeyboardInterrupt):
            asyncio.run(listening())
    return 0


@app.command(name="check")
def check_received(file: Path, /) -> int:
    """Whether a file of received messages, a line each, has all that was sent up to the last marks in it."""
    receiving = Receiving()
    for line in file.read_bytes().splitlines():
        receiving.take(line)
    missing = receiving.missing()
    for ledger, (last, _) in sorted(receiving.marked.items()):
        _say(f"ok      {ledger}: {last} security events were sent, {len(receiving.hashes.get(ledger, {}))} are here")
    for one in missing:
        _say(f"WRONG   {one}")
    _say("COMPLETE" if receiving.marked and not missing else "FAILED" if missing else "FAILED: there is no mark in it")
    return 0 if receiving.marked and not missing else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
