"""NATS with JetStream from its wheel: server, who may say and hear what, streams and durables."""
