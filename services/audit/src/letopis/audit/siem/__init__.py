"""Security events for the bank's SIEM: ECS JSON over syslog and TLS, numbered, so that losses show."""
