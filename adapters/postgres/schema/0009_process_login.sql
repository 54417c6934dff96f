-- Processes sign in as quarterdeck_process itself, never as the owner: it can log in now, where the
-- server lets it (a password is the administrator's to give). It no longer makes schemas as it
-- likes: those of read models come from here, and are its own to fill, to switch and to drop.

create function read_models.add_schema(wanted text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if wanted !~ '^read_[a-z0-9_]+_v[0-9]+(_[0-9]+)?$' then
        raise exception '% is no schema of a read model', wanted
            using errcode = 'insufficient_privilege';
    end if;
    if exists (select from pg_roles where rolname = 'quarterdeck_process') then
        execute format('create schema %I authorization quarterdeck_process', wanted);
        -- What the owner builds here, such as by hand, processes go on with.
        execute format(
            'alter default privileges in schema %I grant all on tables to quarterdeck_process',
            wanted
        );
    else
        execute format('create schema %I', wanted);
    end if;
end $$;
revoke execute on function read_models.add_schema from public;

do $$
declare
    built name;
begin
    if not exists (select from pg_roles where rolname = 'quarterdeck_process') then
        return;
    end if;
    begin
        if not (select rolcanlogin from pg_roles where rolname = 'quarterdeck_process') then
            alter role quarterdeck_process login;
        end if;
    exception
        when insufficient_privilege then
            raise notice 'quarterdeck_process cannot log in: the owner may not alter it';
        when internal_error then
            -- Another database of this server does the same just now.
            null;
    end;
    if not pg_has_role(current_user, 'quarterdeck_process', 'usage') then
        begin
            execute format('grant quarterdeck_process to %I', current_user);
        exception
            when insufficient_privilege then
                -- An administrator has made the role; what is left is done by admission.sql.
                return;
        end;
    end if;

    execute format('revoke create on database %I from quarterdeck_process', current_database());
    revoke create on schema read_models from quarterdeck_process;
    grant execute on function read_models.add_schema to quarterdeck_process;

    alter schema read owner to quarterdeck_process;
    alter default privileges in schema read grant all on tables to quarterdeck_process;
    for built in select nspname from pg_namespace where nspname ~ '^read_.*_v\d+(_\d+)?$' loop
        execute format('alter schema %I owner to quarterdeck_process', built);
        execute format('grant all on all tables in schema %I to quarterdeck_process', built);
    end loop;
end $$;
