"""A mail server for development: takes every mail over SMTP, delivers none, and shows them in a browser."""
