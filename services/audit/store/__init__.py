"""What audit remembers; the only room with SQL."""
