-- What was parked and handled after all is forgotten after a while, with all that it says about somebody.
create index parked_replayed on parked (changed_at) where state = 'replayed';
