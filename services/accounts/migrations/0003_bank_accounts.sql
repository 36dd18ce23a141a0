-- Bank accounts of policyholders, every version of them, and what became of each account procedure.

create table bank_accounts (
    id                uuid primary key,
    policyholder_code text        not null check (policyholder_code ~ '^[0-9]{9}$'),
    version           integer     not null default 1 check (version > 0),
    bank_code         text        not null,
    branch_code       text        not null,
    deposit_type      text        not null,
    account_number    text        not null check (account_number ~ '^[0-9]{7}$'),
    holder            text        not null,
    holder_kana       text        not null,
    use               text        not null,
    -- 確定日: the Japan-time day on which it became as it is.
    fixed_date        date        not null,
    deleted_at        timestamptz,
    foreign key (bank_code, branch_code) references branches
);
-- Among live accounts of a policyholder (F5); this index decides between simultaneous procedures.
create unique index bank_accounts_once
    on bank_accounts (policyholder_code, bank_code, branch_code, deposit_type, account_number, use)
    where deleted_at is null;

-- What the answer to each account procedure was; a procedure is carried out once, however often it is heard.
create table account_procedures (
    place             bigint generated always as identity unique,
    number            text primary key,
    policyholder_code text        not null,
    procedure         text        not null,
    decided_at        timestamptz not null default now(),
    account_id        uuid references bank_accounts,
    -- The version of the account that it made.
    version           integer,
    -- A Japanese sentence for the user, when it was refused.
    reason            text,
    check ((reason is null) = (version is not null))
);
create index account_procedures_of on account_procedures (policyholder_code, place);

-- Accounts as they were: one row a version; a deletion is the last one.
create table account_versions (
    account_id     uuid    not null references bank_accounts,
    version        integer not null,
    number         text    not null references account_procedures,
    bank_code      text    not null,
    branch_code    text    not null,
    deposit_type   text    not null,
    account_number text    not null,
    holder         text    not null,
    holder_kana    text    not null,
    use            text    not null,
    fixed_date     date    not null,
    deleted        boolean not null,
    primary key (account_id, version)
);

grant select, insert, update on bank_accounts to accounts;
grant select, insert on account_procedures, account_versions to accounts;
