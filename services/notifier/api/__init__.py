"""The notifier's gateway: notices for users, the company's mails for administrators, the rest for operators."""
