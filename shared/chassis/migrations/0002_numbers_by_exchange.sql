-- Dense numbers for each exchange: whoever hears all events of a producer would take its commands for missing ones.

create table relay_positions (
    exchange      text   primary key,
    last_sequence bigint not null
);
insert into relay_positions select 'events', last_sequence from relay_position where last_sequence > 0;
drop table relay_position;

alter table outbox drop constraint outbox_sequence_key;
-- Only what was numbered and not yet confirmed: what a new leader carries first.
create unique index outbox_numbered on outbox (exchange, sequence) where sequence is not null;
