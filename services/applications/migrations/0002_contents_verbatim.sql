-- A content stays as its front end wrote it: json keeps the order of names and the kind of a number, jsonb does neither.
alter table applications
    alter column content type json using content::json,
    alter column before  type json using before::json;
alter table keyed_requests
    alter column answer type json using answer::json;
