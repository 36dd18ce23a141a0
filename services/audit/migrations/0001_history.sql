-- What happened and who did it: rows that are only ever added, numbered and chained in the order they arrived.

-- One row for each action. Monthly partitions by the moment of the action, made ahead by make_months().
-- Access paths, one index each: one policyholder's users over a period, and the order of arrival.
create table history (
    number            bigint      not null,  -- dense over everything, in the order of commits: the snapshot of a search
    id                uuid        not null,
    performed_at      timestamptz not null,
    type              text        not null,
    policyholder_code text        collate "C" not null,
    user_id           text        collate "C" not null,
    name              text        not null,
    department        text        not null,
    title             text        not null,
    operation         text,                  -- code of the catalogue; null: security trail only
    outcome           text        not null,
    session_id        text,
    source_address    text,
    details           json        not null,  -- json and not jsonb: the digest is over the very text
    primary key (number, performed_at)
) partition by range (performed_at);
create index history_of_user on history (policyholder_code, user_id, performed_at);

-- Every id ever recorded with the digest of its row: makes "exactly once" hold across partitions, and keeps the chain
-- checkable when old months have been taken away.
create table entries (
    id     uuid   primary key,
    number bigint not null,
    leaf   bytea  not null
);
create index entries_number on entries using brin (number);

-- One for each transaction that recorded something; `head` covers everything up to its last row.
create table blocks (
    block       bigint      primary key,
    first       bigint      not null,
    rows        integer     not null check (rows > 0),
    recorded_at timestamptz not null,
    root        bytea       not null,
    head        bytea       not null
);
create unique index blocks_first on blocks (first);

-- The end of the log. Whoever records locks this row, so numbers become visible in their order.
create table log (
    only_row boolean primary key default true check (only_row),
    rows     bigint  not null default 0,
    blocks   bigint  not null default 0,
    head     bytea   not null default decode(repeat('00', 32), 'hex')
);
insert into log default values;

-- How much a download would bring, by user and Japanese calendar day; kept in the transaction that records.
-- bytes: of the UTF-8 lines; letters: the same lines in characters, from which the size in Windows-31J follows.
create table days (
    policyholder_code text   collate "C" not null,
    user_id           text   collate "C" not null,
    day               date   not null,
    records           bigint not null default 0,
    bytes             bigint not null default 0,
    letters           bigint not null default 0,
    trail_records     bigint not null default 0,
    trail_bytes       bigint not null default 0,
    trail_letters     bigint not null default 0,
    primary key (policyholder_code, user_id, day)
) with (fillfactor = 70);

-- What has been heard of each producer's dense numbering, and the holes in it.
create table producers (
    producer text           primary key,
    heard    int8multirange not null,
    heard_at timestamptz    not null default now()
);
create table gaps (
    number      bigint      generated always as identity primary key,
    producer    text        not null,
    missing     int8range   not null,
    found_at    timestamptz not null default now(),
    reported_at timestamptz,
    closed_at   timestamptz,
    -- Why an operator accepts the hole; it is not reported again.
    explanation text
);
create unique index gaps_open on gaps (producer, lower(missing)) where closed_at is null;

-- A question an administrator asked: the download delivers exactly its rows.
create table searches (
    id                uuid        primary key,
    view              text        not null check (view in ('history', 'trail')),
    policyholder_code text        not null,
    asked_by          text        not null,
    target_user_id    text,
    form              text        not null,
    encoding          text        not null,
    first_day         date        not null,
    last_day          date        not null,
    up_to             bigint      not null,  -- log.rows at that moment
    records           bigint      not null,
    bytes             bigint      not null,
    asked_at          timestamptz not null default now()
);
create index searches_asked_at on searches (asked_at);

-- The signed statement about a file that was delivered whole.
create table manifests (
    search_id  uuid        primary key,
    made_at    timestamptz not null default now(),
    manifest   json        not null
);

-- What a front end reported under its own key, so that a repetition is recognised.
create table reports (
    policyholder_code text        not null,
    user_id           text        not null,
    key               text        not null,
    operation         text        not null,
    event_id          uuid        not null,
    reported_at       timestamptz not null default now(),
    primary key (policyholder_code, user_id, key)
);
create index reports_reported_at on reports (reported_at);

-- Copies of the signed checkpoints; the ones that count were written outside of this database.
create table checkpoints (
    rows      bigint      primary key,
    made_at   timestamptz not null,
    statement text        not null
);

-- Partitions for the months from `first` to `last`. Runs with the owner's rights: the service itself may create nothing.
create function make_months(first date, last date) returns integer
    language plpgsql security definer set search_path from current as
$$
declare
    month date := date_trunc('month', first);
    made  integer := 0;
    name  text;
begin
    while month <= last loop
        name := 'history_' || to_char(month, 'YYYY_MM');
        if to_regclass(name) is null then
            perform pg_advisory_xact_lock(hashtext('audit.months'));
            if to_regclass(name) is null then
                -- Made apart and then attached: creating it in place would stop all readers and writers for a moment.
                execute format('create table %I (like history including defaults including constraints)', name);
                execute format('alter table history attach partition %I for values from (%L) to (%L)',
                               name, month::timestamp at time zone 'Asia/Tokyo', (month + interval '1 month')::timestamp at time zone 'Asia/Tokyo');
                made := made + 1;
            end if;
        end if;
        month := month + interval '1 month';
    end loop;
    return made;
end
$$;
revoke all on function make_months(date, date) from public;

-- Rows can be added and read, never changed or removed.
grant select, insert on history, entries, blocks, manifests, checkpoints to audit;
grant select, update on log to audit;
grant select, insert, update on days, producers, gaps to audit;
grant select, insert, delete on searches, reports to audit;
grant execute on function make_months(date, date) to audit;
