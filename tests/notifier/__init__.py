"""What people are told arrives once, at the right address, and nobody else can read it."""
