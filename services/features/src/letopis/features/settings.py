"""Settings of the features service."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from letopis.common.settings import ServiceSettings


class FeaturesSettings(ServiceSettings):
    """Environment names start with LETOPIS_FEATURES_.

    `source_root` is the only folder of which sources are read (default: `sources` in the data directory).
    `token_key_file` holds the master secret of tokens, 32 bytes in hex (default: made once in the state directory).
    """

    model_config = SettingsConfigDict(
        env_prefix="LETOPIS_FEATURES_", populate_by_name=True, extra="ignore", frozen=True
    )

    port: int = 8402
    source_root: Path | None = None
    token_key_file: Path | None = None

    @property
    def sources(self) -> Path:
        return self.source_root or self.data_dir / "sources"

    @property
    def token_key(self) -> Path:
        return self.token_key_file or self.state_dir / "tokens.key"
