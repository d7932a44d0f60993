"""Settings of the console."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from letopis.common.settings import ServiceSettings


class ConsoleSettings(ServiceSettings):
    """Environment names start with LETOPIS_CONSOLE_."""

    model_config = SettingsConfigDict(env_prefix="LETOPIS_CONSOLE_", populate_by_name=True, extra="ignore", frozen=True)

    port: int = 8400
    client_id: str = "letopis-console"
    state_dir: Path = Path(".letopis/state/console")
