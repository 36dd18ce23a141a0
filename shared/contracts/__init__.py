"""What services say to each other and must agree on: facts, wishes, permissions, the catalogue of operations."""
