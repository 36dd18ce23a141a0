"""The notifier's decisions: no waiting, no clock, no database."""
