-- Mails and what became of each, where mail reaches somebody, letters, notices, and what operators did.

create table mails (
    place              bigint generated always as identity primary key,
    -- The id of the command or event that asked for it: hearing it again changes nothing.
    id                 uuid        not null unique,
    template           text        not null,
    policyholder_code  text        not null,
    about_user_id      text        not null,
    application_number text,
    recipient          text        not null,
    facts              jsonb       not null,
    -- Sealed as it came; opened only while a mail is being sent. Forgotten when the mail may not be sent any more.
    secret             jsonb,
    -- What the seal is bound to, as its sender wrote it.
    secret_place       text[],
    asked_at           timestamptz not null,
    not_after          timestamptz not null,
    supersedes         text,
    -- Smaller goes first.
    urgency            smallint    not null,
    state              text        not null check (state in
                       ('received', 'sending', 'sent', 'retrying', 'failed', 'expired', 'superseded', 'unknown')),
    -- When a sender shall take it; null while one has it and when nothing is left to do.
    due_at             timestamptz,
    -- The process that is sending it; a dead one's mails are found by its lock being free.
    sender             bigint,
    attempts           integer     not null default 0,
    unknown_ends       integer     not null default 0,
    -- A newer one with the same `supersedes` came while this one was being sent.
    overtaken          boolean     not null default false,
    resent             integer     not null default 0,
    reason             text        not null default '',
    received_at        timestamptz not null default now(),
    changed_at         timestamptz not null default now(),
    accepted_at        timestamptz,
    check ((state = 'sending') = (sender is not null)),
    check (due_at is null or state in ('received', 'retrying', 'unknown'))
);
create index mails_due on mails (urgency, due_at) where due_at is not null;
create index mails_lapsing on mails (not_after) where due_at is not null;
create index mails_sending on mails (sender) where state = 'sending';
create index mails_recipient_sending on mails (recipient) where state = 'sending';
create index mails_newest on mails (supersedes, asked_at) where supersedes is not null;
create index mails_unsent on mails (supersedes) where supersedes is not null
    and state in ('received', 'sending', 'retrying', 'unknown');
create index mails_unknown on mails (place) where state = 'unknown';
create index mails_failed on mails (place) where state = 'failed';
create index mails_policyholder on mails (policyholder_code, place);
create index mails_user on mails (about_user_id, place);
create index mails_number on mails (application_number, place) where application_number is not null;
create index mails_received on mails (received_at);
create index mails_secrets on mails (not_after) where secret is not null;
-- A sealed secret is for one mail: the same one in another command is a replay.
create unique index mails_secret_once on mails ((secret ->> 'ciphertext')) where secret is not null;

-- Every address a user ever had, from identity's events; the greatest version at a moment is the one in force then.
create table addresses (
    user_id           text        not null,
    version           bigint      not null,
    policyholder_code text        not null,
    role              text        not null,
    name              text        not null,
    address           text        not null,
    enabled           boolean     not null,
    valid_from        timestamptz not null,
    primary key (user_id, version)
);
create index addresses_administrator on addresses (policyholder_code, version) where role = 'administrator';
create index addresses_address on addresses (address);

-- Addresses that mail does not reach: refused by the relay, or bounced later.
create table failing_addresses (
    address    text primary key,
    cause      text        not null check (cause in ('refused', 'bounced')),
    reason     text        not null,
    times      integer     not null default 1,
    since      timestamptz not null default now(),
    last_at    timestamptz not null default now()
);

-- Letters for the mail room. The PDF is encrypted in the spool folder until the posting is confirmed.
create table letters (
    id                uuid primary key,
    policyholder_code text        not null,
    about_user_id     text        not null,
    company           text        not null,
    state             text        not null check (state in ('waiting', 'printed', 'posted', 'failed')),
    reason            text        not null default '',
    prints            integer     not null default 0,
    received_at       timestamptz not null default now(),
    changed_at        timestamptz not null default now(),
    posted_at         timestamptz
);
create index letters_open on letters (received_at) where state in ('waiting', 'printed');

-- お知らせ; a withdrawal that comes first leaves a row without text.
create table notices (
    notice_id       text primary key,
    issued_at       timestamptz not null,
    title           text        not null,
    body            text        not null,
    published_from  timestamptz,
    published_until timestamptz,
    withdrawn       boolean     not null
);
create index notices_published on notices (published_from desc, notice_id) where not withdrawn;

-- What operators did with mails, letters and addresses; only ever added to.
create table operations (
    place    bigint generated always as identity primary key,
    operator text        not null,
    what     text        not null,
    about    text        not null,
    at       timestamptz not null default now()
);
create index operations_about on operations (about, place);

grant select, insert, update on mails, letters, notices to notifier;
grant select, insert on addresses, operations to notifier;
grant select, insert, update, delete on failing_addresses to notifier;
