"""What services must agree on stays agreed on."""
