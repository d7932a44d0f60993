"""The tracking server in one process of 250 MB, or by MLflow's own command where its insides have changed.

usage: python -m letopis.local.mlflow.server FOLDER HOST PORT
"""

import os
import sys
from pathlib import Path

from letopis.local.child import Program

ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # One arena a thread would double what the server holds.
    "MALLOC_ARENA_MAX": "1",
}


def program(folder: Path, log: Path, host: str, port: int) -> Program:
    """The server over a folder with its database and artifacts."""
    argv = [sys.executable, "-m", "letopis.local.mlflow.server", str(folder), host, str(port)]
    # Its three seconds of imports must not make answers of policy late.
    return Program(argv=argv, log=log, environment=ENVIRONMENT, niceness=10)


def main(argv: list[str]) -> None:
    """Bring the database up to date and serve."""
    folder, host, port = Path(argv[0]), argv[1], int(argv[2])
    database, artifacts = f"sqlite:///{folder}/mlflow.db", (folder / "artifacts").as_uri()
    try:
        serve(database, artifacts, host, port)
    except (ImportError, AttributeError) as error:
        sys.stderr.write(f"letopis: MLflow has changed inside ({error}); starting its own command\n")
        stores = ["--backend-store-uri", database, "--artifacts-destination", artifacts, "--serve-artifacts"]
        address = ["--host", host, "--port", str(port), "--workers", "1"]
        os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *stores, *address])  # noqa: S606 - a list.


def serve(database: str, artifacts: str, host: str, port: int) -> None:
    """What `mlflow server` does, in this process: the names are MLflow's private ones, hence the pinned version."""
    import uvicorn
    from mlflow import db
    from mlflow.server import constants

    upgrade = db.upgrade.callback
    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: database,
        constants.REGISTRY_STORE_URI_ENV_VAR: database,
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: artifacts,
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
    }
    upgrade(database)
    from mlflow.server.fastapi_app import app

    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(sys.argv[1:])
