"""The operator's command line: previews, mails, letters."""
