-- Why the broker last refused what waits here (no right to say it, nobody listens); null: it was not refused.
alter table outbox add column refused text;
