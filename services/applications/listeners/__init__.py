"""Ears: what applications hears from accounts and from NEXI."""
