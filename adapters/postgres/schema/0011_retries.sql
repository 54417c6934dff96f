-- What could not be delivered is tried again when somebody asks for it: whoever delivers looks here.

alter table deliveries.parked
    add column tries integer not null default 1,
    add column asked_at timestamptz;
create index parked_asked_idx on deliveries.parked (reader, position) where asked_at is not null;
