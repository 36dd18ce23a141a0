"""What tests stand on: a real platform in one process, real servers, and people to act with."""
