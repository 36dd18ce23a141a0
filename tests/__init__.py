"""The tests of the whole house; they mirror the paths they test."""
