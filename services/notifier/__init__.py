"""What people are told: mails, letters, notices; and what became of each."""
