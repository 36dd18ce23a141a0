"""Audit's doors: searches and downloads, own history, reported operations, the trail, proofs."""
