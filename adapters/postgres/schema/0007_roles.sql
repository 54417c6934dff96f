-- What running processes may do. Let them sign in as members of quarterdeck_process and migrate as
-- the owner of the database: they add to the log and read it, but change and remove nothing of it.
-- Where the owner may not create roles this is left out, and processes are whoever they sign in as.

revoke execute on all functions in schema log, samples from public;

do $$
begin
    if not exists (select from pg_roles where rolname = 'quarterdeck_process') then
        begin
            create role quarterdeck_process nologin;
        exception
            when duplicate_object or unique_violation then
                null;
            when insufficient_privilege then
                raise notice 'no role quarterdeck_process: the owner may not create roles';
                return;
        end;
    end if;

    grant usage on schema log, samples, deliveries to quarterdeck_process;
    grant select on all tables in schema log to quarterdeck_process;
    grant execute on all functions in schema log, samples to quarterdeck_process;
    grant insert, update on log.snapshots to quarterdeck_process;
    grant insert, update, delete on log.data_keys to quarterdeck_process;
    grant insert on log.key_canaries to quarterdeck_process;

    grant select, insert, update, delete on all tables in schema samples, deliveries
        to quarterdeck_process;

    -- Read models are built and dropped by those who keep them.
    execute format('grant create on database %I to quarterdeck_process', current_database());
    grant all on schema read, read_models to quarterdeck_process;
    grant all on all tables in schema read, read_models to quarterdeck_process;
    grant all on all sequences in schema read, read_models to quarterdeck_process;
    grant select on public.quarterdeck_schema to quarterdeck_process;
end $$;
