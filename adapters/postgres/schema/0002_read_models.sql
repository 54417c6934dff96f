-- The read models: which builds of them there are, how far each is, and what could not be shown.
-- The tables of a build stand in a schema of its own; `read` has the views over the active builds.

create schema read;
create schema read_models;

-- One projection's tables at one version of its rules; at most one build of a projection is read.
create table read_models.builds (
    build bigint generated always as identity primary key,
    projection text not null,
    version integer not null,
    schema_name text not null unique,
    tables text[] not null,
    is_active boolean not null default false,
    built_to bigint not null default 0,
    created_at timestamptz not null default clock_timestamp()
);
create unique index builds_active_idx on read_models.builds (projection) where is_active;

-- How far a build is in a partition of a stream: where to read on, the last position in its rows,
-- and the position up to which it has seen all. `epoch` rises when someone else changes its rows.
create table read_models.positions (
    build bigint not null references read_models.builds on delete cascade,
    source text not null,
    partition integer not null,
    next_offset bigint not null,
    position bigint not null,
    upto bigint not null,
    epoch bigint not null default 0,
    moved_at timestamptz not null default clock_timestamp(),
    primary key (build, source, partition)
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Events whose rule failed, and later events of the same stream (tries = 0) that wait behind them.
create table read_models.parked_events (
    build bigint not null references read_models.builds on delete cascade,
    position bigint not null,
    stream_id uuid not null,
    version bigint not null,
    topic text not null,
    reason text not null,
    tries integer not null,
    parked_at timestamptz not null default clock_timestamp(),
    primary key (build, position)
);
create index parked_events_stream_idx on read_models.parked_events (build, stream_id);
