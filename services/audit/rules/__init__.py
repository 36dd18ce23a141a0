"""Decisions of audit: no waiting, no clock, no database."""
