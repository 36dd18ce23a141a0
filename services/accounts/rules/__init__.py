"""The decisions: no waiting, no clock, no database."""
