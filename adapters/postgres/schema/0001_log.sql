-- The event log: the eventsourcing library's table with our columns after its own, and what is
-- written in the same transaction. Positions have no holes: they are counted in log.head under
-- the lock, so a deleted row shows.

create schema log;

create table log.stored_events (
    originator_id uuid not null,
    originator_version bigint not null,
    topic text not null,
    state bytea not null,
    notification_id bigint not null,
    recorded_at timestamptz not null default now(),
    metadata bytea not null default '\x7b7d',
    leaf_hash bytea not null default '\x',
    primary key (originator_id, originator_version)
);
create unique index stored_events_notification_id_idx on log.stored_events (notification_id);

create table log.head (
    only_one boolean primary key default true check (only_one),
    position bigint not null,
    recorded_at timestamptz not null
) with (fillfactor = 10);
insert into log.head values (true, 0, '-infinity');

create table log.claims (
    key text primary key,
    holder uuid not null,
    position bigint not null
);

create table log.documents (
    digest bytea primary key,
    size bigint not null,
    body bytea not null
);
alter table log.documents alter column body set storage external;

create table log.commands (
    command_id text primary key,
    fingerprint bytea not null,
    result bytea not null,
    position bigint not null,
    recorded_at timestamptz not null
);
create index commands_recorded_at_idx on log.commands using brin (recorded_at);

create table log.snapshots (
    originator_id uuid not null,
    originator_version bigint not null,
    topic text not null,
    state bytea not null,
    primary key (originator_id, originator_version)
);
