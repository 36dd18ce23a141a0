-- How far a producer says it is, so that the loss of its very last event is noticed before it says another one.

alter table producers add column announced bigint not null default 0;
