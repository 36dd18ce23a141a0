"""Decisions: what follows from what, without a clock, a database or anything to wait for."""
