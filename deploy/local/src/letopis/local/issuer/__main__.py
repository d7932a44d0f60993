"""`python -m letopis.local.issuer [rotate | invite LOGIN NAME]`: serve, sign with a new key, or invite somebody."""

import json
import logging
import sys
from datetime import UTC, datetime

import uvicorn
from pydantic import ValidationError

from letopis.local.issuer.app import create_app, loopback
from letopis.local.issuer.people import DEMO
from letopis.local.issuer.settings import IssuerSettings
from letopis.local.issuer.state import ensure, invite, rotate
from letopis.local.topology import SERVICES


class _Lines(logging.Formatter):
    """One JSON object a line, as the services log."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        return json.dumps({"at": at, "level": record.levelname, "part": "issuer", "message": record.getMessage()})


def main() -> None:
    try:
        settings = IssuerSettings()
    except ValidationError as error:
        sys.exit(f"the local issuer serves profiles demo and local only; a bank has its own provider\n{error}")
    if not loopback(settings.host):
        sys.exit("the local issuer listens on loopback only")
    ensure(settings.data_dir, [one.name for one in SERVICES], DEMO if settings.profile == "demo" else ())
    match sys.argv[1:]:
        case [] | ["all"]:
            serve(settings)
        case ["rotate"]:
            sys.stdout.write(f"new key {rotate(settings.folder)}\n")
        case ["invite", login, name]:
            code = invite(settings.data_dir, login, name)
            sys.stdout.write(f"{settings.url.rstrip('/')}/enrol?code={code}\n")
        case _:
            sys.exit(__doc__)


def serve(settings: IssuerSettings) -> None:
    """Serve until SIGTERM."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
