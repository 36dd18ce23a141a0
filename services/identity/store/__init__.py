"""Memory: all SQL of identity."""
