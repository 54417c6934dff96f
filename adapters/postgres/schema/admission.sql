-- What the numbered steps give the role of processes, for one that was made after they were applied.
-- Run as the owner, who must be a member of it.

grant usage on schema log, samples, deliveries, read_models to quarterdeck_process;
grant select on all tables in schema log to quarterdeck_process;
grant insert, update on log.snapshots to quarterdeck_process;
grant insert, update, delete on log.data_keys to quarterdeck_process;
grant insert on log.key_canaries to quarterdeck_process;
grant execute on function log.append, log.append_one to quarterdeck_process;

grant select, insert, update, delete on all tables in schema samples, deliveries
    to quarterdeck_process;
grant execute on all functions in schema samples to quarterdeck_process;
grant select on public.quarterdeck_schema to quarterdeck_process;

grant all on all tables in schema read, read_models to quarterdeck_process;
grant all on all sequences in schema read, read_models to quarterdeck_process;
grant execute on function read_models.add_schema to quarterdeck_process;
-- A role that was there before the steps was given it by the seventh.
revoke create on schema read_models from quarterdeck_process;

do $$
declare
    built name;
begin
    -- Who is to own a schema must be allowed to make one for as long as it is handed over.
    execute format('grant create on database %I to quarterdeck_process', current_database());
    alter schema read owner to quarterdeck_process;
    for built in select nspname from pg_namespace where nspname ~ '^read_.*_v\d+(_\d+)?$' loop
        execute format('alter schema %I owner to quarterdeck_process', built);
        execute format('grant all on all tables in schema %I to quarterdeck_process', built);
    end loop;
    execute format('revoke create on database %I from quarterdeck_process', current_database());
    alter default privileges in schema read grant all on tables to quarterdeck_process;
end $$;
