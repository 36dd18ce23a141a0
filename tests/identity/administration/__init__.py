"""The administrator's functions, through real sockets."""
