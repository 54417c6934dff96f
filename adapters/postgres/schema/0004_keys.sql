-- Data keys, each wrapped by a master key that is not in the database. This table is mutable on
-- purpose: rotation re-wraps its rows, and erasing a row erases its subject from the log.

create table log.data_keys (
    id uuid primary key,
    subject_id uuid not null unique,
    master_version int not null,
    wrapped bytea not null,
    created_at timestamptz not null default now()
);
create index data_keys_master_version_idx on log.data_keys (master_version);

create table log.key_canaries (
    master_version int primary key,
    canary bytea not null
);
