-- Who sent what could not be read, by the broker's word; null: it was looked at when it came, and was the sender's own.
alter table parked add column sender text;
update parked set sender = '' where state = 'unreadable' and reason = 'source: the sender may not speak for this service';

-- What cannot be read is kept once, however often it comes.
update parked set state = 'discarded', changed_at = now()
 where state = 'unreadable'
   and exists (select from parked earlier
                where earlier.state = 'unreadable' and earlier.listener = parked.listener
                  and earlier.number < parked.number and sha256(earlier.body) = sha256(parked.body));
create unique index parked_unreadable on parked (listener, sha256(body)) where state = 'unreadable';
