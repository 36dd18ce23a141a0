"""Getting mails out of the house: the bytes, the talk with the relay, the desk that hands out work, the senders."""
