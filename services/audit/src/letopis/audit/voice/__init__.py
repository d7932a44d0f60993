"""The completeness heartbeat, and the silence detector: who should have spoken and has not."""
