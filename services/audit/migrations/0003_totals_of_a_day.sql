-- The totals of all users of a policyholder under the empty user ID, so that a search over everybody adds up a year's
-- days and not a year's days of each user.

insert into days
select policyholder_code, '', day, sum(records), sum(bytes), sum(letters),
       sum(trail_records), sum(trail_bytes), sum(trail_letters)
  from days where user_id <> '' group by policyholder_code, day;
comment on column days.user_id is 'empty: all users together';
