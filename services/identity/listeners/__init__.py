"""Ears: what identity hears from NEXI, accounts and the notifier."""
