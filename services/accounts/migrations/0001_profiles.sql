-- Policyholders and their profile: what NEXI said last, which changes were completed, and every version that was in force.

create table policyholders (
    code           text primary key check (code ~ '^[0-9]{9}$'),
    registered_at  timestamptz not null default now(),
    -- The newest whole profile that NEXI stated, and when NEXI stated it; completed changes come on top.
    stated         jsonb       not null,
    stated_at      timestamptz not null
);

-- Every version that was in force; the greatest is the present one.
create table profiles (
    policyholder_code text        not null references policyholders,
    version           integer     not null check (version > 0),
    in_force_from     timestamptz not null default now(),
    source            text        not null check (source in ('registration', 'nexi', 'application')),
    -- The application that led to it.
    number            text        check ((number is not null) = (source = 'application')),
    profile           jsonb       not null,
    primary key (policyholder_code, version)
);

-- Changes of the profile whose applications NEXI completed. Not yet applied ones wait for their day.
create table profile_changes (
    number            text primary key,
    policyholder_code text        not null references policyholders,
    wish              jsonb       not null,
    effective_date    date        not null,
    completed_at      timestamptz not null,
    -- 00:00 Japan time of the effective date, never before the completion (P6).
    due_at            timestamptz not null,
    applied_at        timestamptz,
    -- The version of the profile that it led to.
    version           integer,
    check ((applied_at is null) = (version is null))
);
create index profile_changes_due on profile_changes (due_at) where applied_at is null;
create index profile_changes_of on profile_changes (policyholder_code, due_at);

grant select, insert, update on policyholders, profile_changes to accounts;
grant select, insert on profiles to accounts;
