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

-- Partitions are made and dropped by their owner, whoever asks: for yesterday, today and two days
-- more, one asker at a time.
create function samples.add_task_log_days() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    day date;
begin
    perform pg_advisory_xact_lock('samples.task_log_lines'::regclass::oid::bigint);
    for day in select generate_series(current_date - 1, current_date + 2, '1 day')::date loop
        execute format(
            'create table if not exists samples.%I partition of samples.task_log_lines'
            ' for values from (%L) to (%L)',
            to_char(day, '"task_log_lines_"YYYYMMDD'), day::timestamptz, (day + 1)::timestamptz
        );
    end loop;
end $$;

create function samples.drop_task_log_days(kept int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
    partition name;
begin
    for partition in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'samples.task_log_lines'::regclass
          and c.relname < to_char(current_date - kept, '"task_log_lines_"YYYYMMDD')
    loop
        execute format('drop table samples.%I', partition);
    end loop;
end $$;

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
