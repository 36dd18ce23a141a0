-- The master of banks and branches. What a new master no longer lists is marked, not deleted: old accounts still name it.

create table banks (
    code        text primary key check (code ~ '^[0-9]{4}$'),
    name        text not null,
    kana        text not null,
    -- Name and kana as searched for: one spelling for all widths, kana scripts and cases.
    search_name text not null,
    search_kana text not null,
    removed_at  timestamptz
);

create table branches (
    bank_code   text not null references banks,
    code        text not null check (code ~ '^[0-9]{3}$'),
    name        text not null,
    kana        text not null,
    search_name text not null,
    search_kana text not null,
    removed_at  timestamptz,
    primary key (bank_code, code)
);

create table bank_imports (
    place    bigint generated always as identity primary key,
    done_at  timestamptz not null default now(),
    source   text        not null,
    banks    integer     not null,
    branches integer     not null,
    removed  integer     not null
);

grant select, insert, update on banks, branches to accounts;
grant select, insert on bank_imports to accounts;
