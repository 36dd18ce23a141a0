-- The history of a policyholder's accounts goes from procedures to the versions they made; its cost shall not grow with all others.
create index account_versions_by_number on account_versions (number);
