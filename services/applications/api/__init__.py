"""Doors: the only room with paths and status codes."""
