"""The time machine as pages: a decision, and models, rights and reads as of a moment."""
