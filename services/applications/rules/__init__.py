"""Decisions: no waiting, no clock, no database."""
