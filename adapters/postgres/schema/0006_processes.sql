-- Which processes run: a sample each writes of itself every few seconds, and that is dropped with age.

create table samples.processes (
    name text not null,
    kind text not null,
    detail text not null,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    primary key (kind, name)
);
