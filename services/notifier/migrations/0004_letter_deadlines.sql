-- A letter whose password has lapsed is not printed any more. Those that wait already get as long as a password lives.

alter table letters add column not_after timestamptz not null default now() + interval '30 days';
