-- Who somebody is and what they may do. No password, code or token is kept here in clear, only what can verify one.

-- A policyholder as far as logins need it; its profile belongs to another service.
create table companies (
    policyholder_code            text primary key check (policyholder_code ~ '^[0-9]{9}$'),
    name                         text        not null,
    -- 0: the name NEXI registered; else the version of the profile that brought the name.
    profile_version              bigint      not null default 0,
    registered_at                timestamptz not null,            -- NEXI's issued_at; a later statement wins
    terms_agreed                 boolean     not null,
    uses_comprehensive_insurance boolean     not null default false,
    rider_codes                  text[]      not null default '{}',   -- those that NEXI says the company has now (W5)
    riders_issued_at             timestamptz not null,
    uses_one_time_password       boolean     not null default false,
    -- Grows whenever every token of the company must be refused; tokens carry it as "policyholder:<code>".
    rights_version               bigint      not null default 0,
    -- Last applicant serial given away; never reused, so it only grows.
    last_serial                  smallint    not null default 0 check (last_serial between 0 and 999),
    created_at                   timestamptz not null default now()
);

-- Web users are never deleted (L8).
create table users (
    user_id           text primary key check (user_id ~ '^[0-9]{12}$'),
    policyholder_code text        not null references companies,
    role              text        not null check (role in ('administrator', 'applicant', 'group_viewer')),
    enabled           boolean     not null default true,
    name              text        not null,
    email             text        not null,
    phone             text        not null default '',
    department        text        not null default '',
    title             text        not null default '',
    -- The three axes (W4).
    entry             text        not null check (entry in ('none', 'enter', 'enter_and_apply')),
    contract_data     text        not null check (contract_data in ('none', 'listed_riders', 'all')),
    application_data  text        not null check (application_data in ('none', 'own', 'all')),
    -- Given by the administrator under listed_riders; a code NEXI withdraws stays here without effect (W5).
    rider_codes       text[]      not null default '{}',
    -- The companies a group viewer may look at (N2); they need not be known here.
    viewed_companies  text[]      not null default '{}',
    -- Grows with each change of what editors see; two editors compare it, and addresses are ordered by it.
    version           bigint      not null default 1,
    -- Grows whenever tokens with earlier rights must be refused; tokens carry it as "user:<id>".
    rights_version    bigint      not null default 0,
    -- Argon2id, in PHC form. Null: none chosen yet, or it died by a reset or by the use of a temporary password.
    password_hash     text,
    last_login_at     timestamptz,
    issued_at         timestamptz,                                -- NEXI's, for group viewers
    created_at        timestamptz not null default now(),
    changed_at        timestamptz not null default now()
);
create unique index users_one_administrator on users (policyholder_code) where role = 'administrator';
create index users_of_company on users (policyholder_code, role, user_id);

-- One live temporary password per user (L5). 16 random letters need no slow hash: HMAC with a key outside the database.
create table temporary_passwords (
    user_id    text primary key references users,
    verifier   bytea       not null,
    reason     text        not null check (reason in ('initial_letter', 'initial_mail', 'reissue', 'reset')),
    issued_at  timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz
);

-- Consecutive failures by ID, whether or not the ID exists, so that unknown ones behave alike (L1).
create table login_attempts (
    user_id        text primary key,
    failed         smallint    not null default 0,
    -- Comparisons under way: reserved before hashing, so that parallel tries cannot buy more than the limit.
    reserved       smallint    not null default 0,
    -- A process that died with reservations loses them after this; the epoch then grows and late results are void.
    reserved_until timestamptz not null,
    epoch          bigint      not null default 0,
    locked_until   timestamptz
);
create index login_attempts_idle on login_attempts (reserved_until);

-- Browser sessions. The token is 256 random bits, only its SHA-256 is here; session_id is its public handle.
create table sessions (
    session_id     text primary key,
    token_hash     bytea       not null unique,
    user_id        text        not null references users,
    -- Began with a temporary password: may only change the password (L5).
    restricted     boolean     not null default false,
    began_at       timestamptz not null default now(),
    seen_at        timestamptz not null default now(),
    last_login_at  timestamptz,                                   -- the login before this one (L2)
    stepped_up_at  timestamptz,                                   -- when the one-time password was entered
    source_address text        not null,
    user_agent     text        not null default '',
    ended_at       timestamptz,
    end_reason     text
);
create index sessions_of_user on sessions (user_id) where ended_at is null;
create index sessions_ended on sessions (ended_at) where ended_at is not null;

-- What users are shown as their own recent logins.
create table logins (
    number         bigint generated always as identity primary key,
    user_id        text        not null references users,
    at             timestamptz not null default now(),
    succeeded      boolean     not null,
    source_address text        not null,
    user_agent     text        not null default ''
);
create index logins_of_user on logins (user_id, at desc);
create index logins_by_age on logins (at);

-- One per session; a new issue replaces it (O1).
create table one_time_passwords (
    session_id text primary key references sessions on delete cascade,
    issue      uuid        not null,
    verifier   bytea       not null,
    issued_at  timestamptz not null default now(),
    expires_at timestamptz not null,
    tries      smallint    not null default 0,
    used_at    timestamptz
);

-- When something was issued to a user, for limits in a sliding window (O1, L6).
create table issues (
    user_id text        not null references users,
    kind    text        not null check (kind in ('one_time_password', 'reissue')),
    at      timestamptz not null default clock_timestamp()
);
create index issues_of_user on issues (user_id, kind, at);
create index issues_by_age on issues (at);

-- Requests for a new password, answered before anybody looked whether they are right (L6).
create table reissue_requests (
    number         bigint generated always as identity primary key,
    user_id        text        not null,
    email          text        not null,
    source_address text        not null,
    requested_at   timestamptz not null default now()
);

-- Token buckets by source address: what is left, and when that was reckoned.
create table source_limits (
    kind   text             not null,
    source text             not null,
    tokens double precision not null,
    at     timestamptz      not null,
    primary key (kind, source)
);
create index source_limits_by_age on source_limits (at);

-- A wished e-mail address of an administrator, until its link is confirmed (E1 to E3).
create table email_changes (
    id               uuid primary key,
    user_id          text        not null references users,
    new_address      text        not null,
    token_hash       bytea       not null unique,
    mail_id          uuid        not null unique,                 -- of the command that asked for the mail
    requested_at     timestamptz not null default now(),
    mail_accepted_at timestamptz,
    confirmed_at     timestamptz,
    superseded_by    uuid        references email_changes deferrable initially deferred
);
create unique index email_changes_one_open on email_changes (user_id) where confirmed_at is null and superseded_by is null;

-- The notifier's public keys, to seal secrets with.
create table sealing_keys (
    key_id     text primary key,
    purpose    text        not null check (purpose in ('code', 'password')),
    public_key bytea       not null,
    use_from   timestamptz not null,
    use_until  timestamptz not null
);

-- Keys of access tokens. The private part is encrypted with a key that is not in the database.
create table signing_keys (
    key_id       text primary key,
    public_key   bytea       not null,
    sealed_key   bytea       not null,
    created_at   timestamptz not null default now(),
    signs_from   timestamptz not null,                            -- published before it signs, so that everybody knows it
    verify_until timestamptz                                      -- null: not replaced yet
);

grant select, insert, update on companies, users, temporary_passwords, email_changes to identity;
grant select, insert, update, delete on
    login_attempts, sessions, logins, one_time_passwords, issues,
    reissue_requests, source_limits, sealing_keys, signing_keys
    to identity;
