-- Of notices with the same moment of publication the one that was issued last comes first.

drop index notices_published;
create index notices_published on notices (published_from desc, issued_at desc, notice_id desc) where not withdrawn;
