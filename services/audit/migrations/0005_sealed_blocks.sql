-- Who recorded a block: a keyed digest over its head, made with a key that never enters the database. Without it anybody
-- who can write here could add rows whose plain digests agree, and the next checkpoint would vouch for them.

alter table blocks add column seal bytea;
comment on column blocks.seal is 'null: recorded before blocks were sealed';
