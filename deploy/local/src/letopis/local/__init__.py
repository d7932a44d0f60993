"""The embedded stack: every part of Letopis on one machine, under one data directory."""
