-- How long each lease lasts. The server's clock may be set back: a lease that ends later than it
-- could, had it been taken just now, is one from before that, and would last for hours.

alter table samples.leases add column lasts interval not null default '0';
alter table samples.leases alter column lasts drop default;
