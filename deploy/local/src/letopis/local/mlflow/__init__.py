"""The MLflow tracking server: on loopback, one worker, no job execution, no telemetry."""
