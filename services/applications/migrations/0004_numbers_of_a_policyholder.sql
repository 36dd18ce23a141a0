-- How many numbers a policyholder was allotted on the newest day on which it got one: counted where they are given, so
-- that a number which never became an application counts too. Nobody can use up the numbers of all others (W7).
create table allotments (
    policyholder_code text    primary key check (policyholder_code ~ '^[0-9]{9}$'),
    day               date    not null,
    allotted          integer not null check (allotted > 0)
);
insert into allotments (policyholder_code, day, allotted)
select distinct on (policyholder_code) policyholder_code, day, count(*)
  from applications group by policyholder_code, day order by policyholder_code, day desc;

grant select, insert, update on allotments to applications;
