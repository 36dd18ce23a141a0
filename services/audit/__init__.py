"""audit: the access history, the security trail, and the proof that nothing in them was changed or left out."""
