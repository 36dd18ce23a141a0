"""What the notifier hears: wishes for mails and letters, addresses, applications, NEXI's notices."""
