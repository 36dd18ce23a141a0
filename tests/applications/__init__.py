"""The applications service through real sockets."""
