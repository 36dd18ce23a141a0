"""What audit hears: everything that is said, and what NEXI's systems did."""
