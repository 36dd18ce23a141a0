"""The doors: what callers may ask accounts over HTTP."""
