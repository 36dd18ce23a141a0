-- Web applications: what somebody asked for, in which state it is, and every step that led there.

-- One counter for each Japan-time day, over all procedures of all policyholders (W7). Past 99999 there is no number.
create table number_days (
    day  date    primary key,
    last integer not null check (last between 1 and 99999)
);

-- Files: attachments of applicants and NEXI's 通知書. In pieces, so that neither side ever holds a whole one in memory.
create table documents (
    id         uuid        primary key,
    title      text        not null,
    begun_at   timestamptz not null,
    -- Filled when every piece has arrived and the content was checked; until then nobody can see it.
    size       bigint      check (size > 0),
    sha256     bytea       check (length(sha256) = 32),
    check ((size is null) = (sha256 is null))
);
create index documents_unfinished on documents (begun_at) where size is null;

create table document_pieces (
    document_id uuid    not null references documents on delete cascade,
    place       integer not null,
    data        bytea   not null,
    primary key (document_id, place)
);
-- PDF is compressed already; compressing it again costs time and gains nothing.
alter table document_pieces alter column data set storage external;

create table applications (
    number            text        primary key check (number ~ '^[0-9]{4}-[0-9]{4}-[0-9]{4,5}$'),
    day               date        not null,
    serial            integer     not null,
    policyholder_code text        not null check (policyholder_code ~ '^[0-9]{9}$'),
    procedure         text        not null,
    state             text        not null
                      check (state in ('draft', 'submitted', 'completed', 'rejected', 'withdrawn')),
    -- Counts what was saved; a submission names the version that its user saw.
    version           integer     not null check (version > 0),
    content           jsonb       not null,
    -- Every UUID that the content names, so that an account in use by an open application is found (P7).
    names             uuid[]      not null,
    created_at        timestamptz not null,
    created_by        text        not null,
    -- The sitting: somebody who may not see applications may still finish the own one in the session that began it (P4).
    session_id        text        not null,
    saved_at          timestamptz not null,
    submitted_at      timestamptz,
    submitted_by      text,
    -- What was in force at submission, for comparing it with the wish afterwards.
    before            jsonb,
    -- When it was completed, rejected or withdrawn.
    finished_at       timestamptz,
    effective_date    date,
    reason            text,
    notice_id         uuid        references documents,
    -- The bank account that an account procedure was about.
    account_id        uuid,
    unique (day, serial),
    check ((submitted_at is null) = (state in ('draft', 'withdrawn'))),
    check ((finished_at is null) = (state in ('draft', 'submitted'))),
    check ((reason is not null) = (state = 'rejected'))
);
create index applications_of on applications (policyholder_code, day desc, serial desc);
create index applications_open on applications (policyholder_code) where state in ('draft', 'submitted');
create index applications_waiting on applications (submitted_at) where state = 'submitted';
create index applications_accounts on applications (account_id, finished_at) where account_id is not null;

-- The time-line: written with each step, never changed.
create table steps (
    id        bigint generated always as identity primary key,
    number    text        not null references applications,
    step      text        not null,
    state     text        not null,
    version   integer     not null,
    at        timestamptz not null,
    user_id   text        not null,
    user_name text        not null
);
create index steps_of on steps (number, id);

create table attachments (
    number      text not null references applications,
    document_id uuid not null references documents,
    primary key (number, document_id)
);

-- The policyholder's profile in force, as accounts said last: for comparing, and for telling 本店 from 支店 (F6).
create table profiles (
    policyholder_code text    primary key,
    version           integer not null,
    profile           jsonb   not null
);

-- Requests that carried an Idempotency-Key, with what was asked (fingerprint) and what was answered.
create table keyed_requests (
    user_id     text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    answer      jsonb,
    at          timestamptz not null default now(),
    primary key (user_id, key)
);
create index keyed_requests_at on keyed_requests (at);

grant select, insert, update on applications, number_days, profiles to applications;
grant select, insert on steps to applications;
grant select, insert, update, delete on documents, document_pieces, attachments, keyed_requests to applications;
