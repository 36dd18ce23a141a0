"""What a person sees: whole stories over all services, with real mails and letters."""
