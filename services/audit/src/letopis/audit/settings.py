"""Settings of the audit service."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from letopis.common.settings import ServiceSettings


class AuditSettings(ServiceSettings):
    """What the chronicle needs beside the common settings."""

    model_config = SettingsConfigDict(env_prefix="LETOPIS_AUDIT_", populate_by_name=True, extra="ignore", frozen=True)

    # The name under which the logs are known: checkpoints' origins are `<origin>/<ledger>`.
    origin: str = "letopis.local/log"
    # Where signed heads are locked; keep it on another volume than the database, and out of its backups.
    lock_dir: Path | None = None
    seal_every: float = 1.0
    # Who must sign besides (C2SP tlog-policy, with the witnesses' addresses); without it nobody is asked.
    witness_policy_file: Path | None = None

    # A bank's own report definitions (*.toml), beside those shipped.
    report_folder: Path | None = None
    # Where scheduled reports are put for their receivers.
    delivery_dir: Path | None = None

    # The bank's SIEM (syslog+tls://host:6514); without it nothing is sent.
    siem_url: str = ""
    siem_ca_file: Path | None = None
    siem_certificate_file: Path | None = None
    siem_key_file: Path | None = None
    # The name under which this installation's events arrive.
    siem_host: str = "letopis"

    @property
    def delivered(self) -> Path:
        """The folder of what was delivered."""
        return self.delivery_dir or self.state_dir / "delivered"

    @property
    def locks(self) -> Path:
        """The lock store's file."""
        return (self.lock_dir or self.state_dir / "lock") / "heads.sqlite"
