"""Policyholders and their bank accounts: the profile in force, the accounts, and the master of banks."""
