"""Settings of the key store."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from letopis.common.settings import ServiceSettings


class SubjectKeysSettings(ServiceSettings):
    """Environment names start with LETOPIS_SUBJECT_KEYS_.

    `state_dir` holds the master key and the list of what was destroyed; back it up apart from every database.
    `callers_file` names the services that may ask, each with the SHA-256 of its secret.
    """

    model_config = SettingsConfigDict(
        env_prefix="LETOPIS_SUBJECT_KEYS_", populate_by_name=True, extra="ignore", frozen=True
    )

    callers_file: Path = Path(".letopis/state/subject_keys/callers.json")
    port: int = 8412
