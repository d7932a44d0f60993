"""Settings of monitoring."""

from pydantic_settings import SettingsConfigDict

from letopis.common.settings import ServiceSettings


class MonitoringSettings(ServiceSettings):
    """Environment names start with LETOPIS_MONITORING_.

    A bucket is judged once nothing was added to it for `quiet_seconds`, or every `every_seconds` while it fills.
    """

    model_config = SettingsConfigDict(
        env_prefix="LETOPIS_MONITORING_", populate_by_name=True, extra="ignore", frozen=True
    )

    port: int = 8404
    quiet_seconds: float = 2.0
    every_seconds: float = 30.0
