-- What the administrator's functions remember beside the users themselves.

-- A request that its administrator took back, and one whose mail could not be delivered.
alter table email_changes
    add column withdrawn_at   timestamptz,
    add column mail_failed_at timestamptz;
drop index email_changes_one_open;
create unique index email_changes_one_open on email_changes (user_id)
    where confirmed_at is null and superseded_by is null and withdrawn_at is null;
create index email_changes_of_user on email_changes (user_id, requested_at desc);

-- Users whose registered address bounces, as the notifier says.
create table failing_addresses (
    user_id text        primary key references users,
    since   timestamptz not null default now()
);

-- Registrations by the key of the request that made them, so that a repeated request registers nobody twice.
create table registrations (
    policyholder_code text        not null references companies,
    key               uuid        not null,
    -- SHA-256 of what was asked for; the same key with other content is refused.
    digest            bytea       not null,
    user_ids          text[]      not null,
    registered_at     timestamptz not null default now(),
    primary key (policyholder_code, key)
);

grant select, insert, delete on failing_addresses to identity;
grant select, insert on registrations to identity;
