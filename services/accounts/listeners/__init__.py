"""The ears: what accounts hears from NEXI, from applications and from the clock."""
