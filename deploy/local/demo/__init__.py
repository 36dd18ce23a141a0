"""`make demo`: the main story on a running platform, told while it happens, with nothing but what outsiders have."""
