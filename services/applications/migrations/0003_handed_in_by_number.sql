-- NEXI's systems fetch page by page what waits for them; a page shall not cost more when more is waiting.
create index applications_handed_in on applications (number collate "C") where state = 'submitted';
