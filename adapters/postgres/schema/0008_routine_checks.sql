-- When each installed cluster is looked at next and what was found last: samples. A look that finds
-- nothing new leaves no more than this row; news are told by a task, in the log.

create table samples.routine_checks (
    cluster_id uuid primary key,
    every interval not null,
    due_at timestamptz not null,
    looked_at timestamptz,
    found text,
    detail text not null default ''
);
create index routine_checks_due on samples.routine_checks (due_at);

do $$
begin
    if exists (select from pg_roles where rolname = 'quarterdeck_process') then
        grant select, insert, update, delete on samples.routine_checks to quarterdeck_process;
    end if;
end $$;
