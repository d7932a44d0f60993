"""Settings of the registry."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from letopis.common.settings import ServiceSettings


class RegistrySettings(ServiceSettings):
    """Environment names start with LETOPIS_REGISTRY_."""

    model_config = SettingsConfigDict(
        env_prefix="LETOPIS_REGISTRY_", populate_by_name=True, extra="ignore", frozen=True
    )

    port: int = 8401
    enrolment_token_file: Path | None = None
    # The key that policies are signed with, and the folder that the engine watches; without them nothing is installed.
    policy_key_file: Path | None = None
    policy_folder: Path | None = None
