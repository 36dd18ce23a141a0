"""Kills and cuts: what was acknowledged is never lost, whatever dies."""
