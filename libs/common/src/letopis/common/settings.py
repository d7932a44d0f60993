"""Settings of a service process: read once from the environment, then passed down."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What every service needs. Names shared by all start with LETOPIS_, a service's own with LETOPIS_<SERVICE>_."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    profile: Literal["demo", "local", "bank"] = Field(default="local", validation_alias="LETOPIS_PROFILE")
    data_dir: Path = Field(default=Path(".letopis"), validation_alias="LETOPIS_DATA_DIR")
    nats_url: str = Field(default="nats://127.0.0.1:8410", validation_alias="LETOPIS_NATS_URL")
    valkey_url: str = Field(default="redis://127.0.0.1:8411", validation_alias="LETOPIS_VALKEY_URL")
    opa_url: str = Field(default="http://127.0.0.1:8408", validation_alias="LETOPIS_OPA_URL")
    opa_token_file: Path | None = Field(default=None, validation_alias="LETOPIS_OPA_TOKEN_FILE")
    policy_revision: str = Field(default="", validation_alias="LETOPIS_POLICY_REVISION")
    # What the rooms wrote, before the bank's changes: a published release counts only over the same.
    policy_base: str = Field(default="", validation_alias="LETOPIS_POLICY_BASE")
    oidc_issuer: str = Field(default="http://127.0.0.1:8406", validation_alias="LETOPIS_OIDC_ISSUER")
    object_store_url: str = Field(
        default="file:///var/lib/letopis/objects", validation_alias="LETOPIS_OBJECT_STORE_URL"
    )
    registry_url: str = Field(default="http://127.0.0.1:8401", validation_alias="LETOPIS_REGISTRY_URL")
    features_url: str = Field(default="http://127.0.0.1:8402", validation_alias="LETOPIS_FEATURES_URL")
    inference_url: str = Field(default="http://127.0.0.1:8403", validation_alias="LETOPIS_INFERENCE_URL")
    monitoring_url: str = Field(default="http://127.0.0.1:8404", validation_alias="LETOPIS_MONITORING_URL")
    audit_url: str = Field(default="http://127.0.0.1:8405", validation_alias="LETOPIS_AUDIT_URL")
    console_url: str = Field(default="http://127.0.0.1:8400", validation_alias="LETOPIS_CONSOLE_URL")
    subject_keys_url: str = Field(default="http://127.0.0.1:8412", validation_alias="LETOPIS_SUBJECT_KEYS_URL")
    mlflow_url: str = Field(default="http://127.0.0.1:8407", validation_alias="LETOPIS_MLFLOW_URL")

    database_url: str = ""
    owner_url: str = ""
    projector_url: str = ""
    nats_seed_file: Path | None = None
    client_secret_file: Path | None = None
    signing_key_file: Path | None = None
    subject_keys_secret_file: Path | None = None
    # Mutual TLS between services (mutual_tls.py): all three, or none.
    tls_authority_file: Path | None = Field(default=None, validation_alias="LETOPIS_TLS_AUTHORITY_FILE")
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    state_dir: Path = Path(".letopis/state")
    # Requests a second that one login may send to one process, and how many at once; 0: as many as it likes.
    caller_rate: float = Field(default=0, ge=0, validation_alias="LETOPIS_CALLER_RATE")
    caller_burst: int = Field(default=100, ge=1, validation_alias="LETOPIS_CALLER_BURST")
    host: str = "127.0.0.1"
    port: int = 0
    faults: str = Field(default="", validation_alias="LETOPIS_FAULTS")

    @model_validator(mode="after")
    def _no_faults_in_a_bank(self) -> Self:
        if self.faults and self.profile == "bank":
            raise ValueError("LETOPIS_FAULTS ends processes on purpose, for tests; profile bank refuses it")
        return self

    @model_validator(mode="after")
    def _one_policy_in_a_bank(self) -> Self:
        if not self.policy_revision and self.profile == "bank":
            raise ValueError("LETOPIS_POLICY_REVISION must name the policy in force: profile bank demands it")
        return self

    def url_of(self, service: str) -> str:
        """Where another service listens."""
        return str(getattr(self, f"{service}_url"))
