-- Samples of tasks: lines of their logs, in partitions by day that are dropped with age, and the
-- leases by which managers tell each other what they work on.

create schema samples;

create table samples.task_log_lines (
    task_id uuid not null,
    number bigint not null,
    at timestamptz not null,
    phase text not null,
    stream text not null,
    kept_offset bigint,
    text text not null
) partition by range (at);
create index task_log_lines_idx on samples.task_log_lines (task_id, number);

create table samples.task_log_heads (
    task_id uuid primary key,
    last_number bigint not null,
    offsets jsonb not null
);

create table samples.leases (
    name text primary key,
    holder text not null,
    until timestamptz not null
);
