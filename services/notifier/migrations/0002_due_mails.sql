-- Due mails are found at once however many others wait: those never tried by urgency, those tried before by age.

drop index mails_due;
create index mails_due_fresh on mails (urgency, due_at) where due_at is not null and attempts = 0;
create index mails_due_again on mails (due_at) where due_at is not null and attempts > 0;

-- Mails are received in the order of their places, so a few bytes a block tell a period.
drop index mails_received;
create index mails_received on mails using brin (received_at);
