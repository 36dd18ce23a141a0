-- Addresses are the same in capital and small letters; failing ones are kept in small letters.

delete from failing_addresses one using failing_addresses other
 where lower(one.address) = lower(other.address) and one.address > other.address;
update failing_addresses set address = lower(address) where address <> lower(address);
drop index addresses_address;
create index addresses_address on addresses (lower(address));
