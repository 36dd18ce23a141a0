"""Doors: every route of identity."""
