"""Settings of inference."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from letopis.common.settings import ServiceSettings


class InferenceSettings(ServiceSettings):
    """Environment names start with LETOPIS_INFERENCE_.

    `journal` is what an answer waits for: `power` a sync to disk, `process` the kernel's memory (it survives the
    death of the process, not of the machine). `disk_share` is the used share of the disk at which scoring stops.
    """

    model_config = SettingsConfigDict(
        env_prefix="LETOPIS_INFERENCE_", populate_by_name=True, extra="ignore", frozen=True
    )

    port: int = 8403
    journal: Literal["power", "process"] = "power"
    disk_share: Annotated[float, Field(gt=0, le=1.1)] = 0.90
    files_dir: Path | None = None
    audit_key_file: Path | None = None
    registry_public_key_file: Path | None = Field(default=None, validation_alias="LETOPIS_REGISTRY_PUBLIC_KEY_FILE")
