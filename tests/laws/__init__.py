"""The laws of the architecture, and the proof that each is enforced."""
