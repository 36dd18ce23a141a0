-- Two processes that miss the same month at the same moment: the second one sees what the first one made.

create or replace function make_months(first date, last date) returns integer
    language plpgsql security definer set search_path from current as
$$
declare
    month date := date_trunc('month', first);
    made  integer := 0;
    name  text;
begin
    while month <= last loop
        name := 'history_' || to_char(month, 'YYYY_MM');
        if to_regclass(name) is null then
            perform pg_advisory_xact_lock(hashtext('audit.months'));
            -- A query sees what was committed while we waited; to_regclass may answer from its cache.
            perform from pg_class where oid in (select inhrelid from pg_inherits where inhparent = 'history'::regclass)
                                    and relname = name;
            if not found then
                -- Made apart and then attached: creating it in place would stop all readers and writers for a moment.
                execute format('create table %I (like history including defaults including constraints)', name);
                execute format('alter table history attach partition %I for values from (%L) to (%L)',
                               name, month::timestamp at time zone 'Asia/Tokyo',
                               (month + interval '1 month')::timestamp at time zone 'Asia/Tokyo');
                made := made + 1;
            end if;
        end if;
        month := month + interval '1 month';
    end loop;
    return made;
end
$$;
