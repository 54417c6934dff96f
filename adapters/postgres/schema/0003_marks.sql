-- How far the log has been delivered to the world outside: to Kafka, to standard output, to Loki.

create schema deliveries;

-- A reader's place in one partition of a source (`log`, or a Kafka topic).
create table deliveries.marks (
    reader text not null,
    source text not null,
    partition int not null,
    next_offset bigint not null,
    position bigint not null,
    saved_at timestamptz not null default clock_timestamp(),
    primary key (reader, source, partition)
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What a reader could not deliver and went past: the position it stands for, and why.
create table deliveries.parked (
    reader text not null,
    position bigint not null,
    reason text not null,
    parked_at timestamptz not null default clock_timestamp(),
    primary key (reader, position)
);
