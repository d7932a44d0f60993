"""Settings of the issuer."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IssuerSettings(BaseSettings):
    """Read from the environment that the stack gives; a bank has its own provider, so profile bank is refused."""

    model_config = SettingsConfigDict(env_prefix="LETOPIS_ISSUER_", populate_by_name=True, extra="ignore", frozen=True)

    profile: Literal["demo", "local"] = Field(default="local", validation_alias="LETOPIS_PROFILE")
    data_dir: Path = Field(default=Path(".letopis"), validation_alias="LETOPIS_DATA_DIR")
    url: str = Field(default="http://127.0.0.1:8406", validation_alias="LETOPIS_OIDC_ISSUER")
    console_url: str = Field(default="http://127.0.0.1:8400", validation_alias="LETOPIS_CONSOLE_URL")
    host: str = "127.0.0.1"
    port: int = 8406

    @property
    def folder(self) -> Path:
        """Where keys and people lie."""
        return self.data_dir / "state" / "issuer"
