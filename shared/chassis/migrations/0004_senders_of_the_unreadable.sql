-- Who sent what could not be read, by the broker's word; null: it was looked at when it came, and was the sender's own.
alter table parked add column sender text;
update parked set sender = '' where state = 'unreadable' and reason = 'source: the sender may not speak for this service';

-- Of the body: what cannot be read is kept once, however often it comes.
alter table parked add column digest bytea;
create unique index parked_unreadable on parked (listener, digest) where state = 'unreadable';
