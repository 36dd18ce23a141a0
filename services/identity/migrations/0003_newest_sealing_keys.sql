-- When the notifier said the keys, so that what it had said before replaces nothing when it is heard later.
alter table sealing_keys add column said_at timestamptz not null default '-infinity';
