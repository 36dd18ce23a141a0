"""Letters: how a sheet is drawn, and where it waits, encrypted, for the mail room."""
