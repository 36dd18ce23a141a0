-- A change that cannot be applied on its day shows why, and an operator can give it up; it stays recorded.
alter table profile_changes
    -- Why the last try failed, in words that quote no values.
    add column failure      text,
    -- The operator who gave it up.
    add column discarded_by text,
    add check (discarded_by is null or applied_at is null);
