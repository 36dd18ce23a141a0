"""The notifier's memory: the only room with SQL."""
