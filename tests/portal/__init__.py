"""The manual's screens in a real browser, over all services."""
