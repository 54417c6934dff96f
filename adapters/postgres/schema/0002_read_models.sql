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

-- Move builds on in one partition, all or none: where one is not as it was known to be, someone
-- else has moved it, and nothing of this transaction may stay. Tells who waits for a position.
create function read_models.advance(
    builds bigint[], known_offsets bigint[], known_positions bigint[], known_epochs bigint[],
    positions bigint[], of_source text, of_partition integer, to_offset bigint, to_upto bigint
) returns void language plpgsql as $$
declare
    moved integer;
begin
    update read_models.positions p
        set next_offset = to_offset, position = x.position, upto = greatest(p.upto, to_upto),
            moved_at = clock_timestamp()
        from unnest(builds, known_offsets, known_positions, known_epochs, positions)
            as x(build, known_offset, known_position, known_epoch, position)
        where p.build = x.build and p.source = of_source and p.partition = of_partition
          and p.next_offset = x.known_offset and p.position = x.known_position
          and p.epoch = x.known_epoch;
    get diagnostics moved = row_count;
    if moved <> cardinality(builds) then
        raise exception 'a build was moved by someone else' using errcode = 'QD001';
    end if;
    perform pg_notify('quarterdeck_read', to_upto::text);
end $$;
