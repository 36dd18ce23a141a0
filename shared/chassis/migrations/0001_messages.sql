-- What every service keeps about its messages: what is to be said, what was heard, what could not be handled.

-- Written in the transaction that changes the state, deleted when the broker has confirmed it.
create table outbox (
    place       bigint generated always as identity primary key,
    id          uuid        not null unique,
    exchange    text        not null,
    type        text        not null,
    occurred_at timestamptz not null,
    traceparent text,
    data        text        not null,
    -- Dense per producer; given by the relay to committed rows only, because a database sequence has gaps after rollbacks.
    sequence    bigint      unique
);

create table relay_position (
    only_row      boolean primary key default true check (only_row),
    last_sequence bigint not null default 0
);
insert into relay_position default values;

-- The ids of the events that were handled, so that each is heard once.
create table inbox (
    listener text        not null,
    id       uuid        not null,
    heard_at timestamptz not null default now(),
    primary key (listener, id)
);
create index inbox_heard_at on inbox (heard_at);

-- Events that could not be handled: waiting for another try, for an operator, or unreadable.
create table parked (
    number      bigint generated always as identity primary key,
    listener    text        not null,
    id          uuid,
    type        text,
    state       text        not null check (state in ('retrying', 'parked', 'unreadable', 'replayed', 'discarded')),
    reason      text        not null,
    -- What it waits for, so that it can be tried again as soon as that is there.
    key         text,
    attempts    integer     not null default 0,
    next_try_at timestamptz,
    first_at    timestamptz not null default now(),
    changed_at  timestamptz not null default now(),
    body        bytea       not null
);
create index parked_due on parked (next_try_at) where state = 'retrying';
create index parked_open on parked (state, number) where state in ('retrying', 'parked', 'unreadable');
create index parked_key on parked (key) where state in ('retrying', 'parked');
create unique index parked_once on parked (listener, id) where state in ('retrying', 'parked');
