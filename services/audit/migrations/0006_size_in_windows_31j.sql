-- From now on the sum of bytes and letters is twice the exact length in Windows-31J, also with half-width kana.

comment on column days.letters is 'twice the bytes in Windows-31J, less the bytes in UTF-8';
comment on column days.trail_letters is 'like letters';
