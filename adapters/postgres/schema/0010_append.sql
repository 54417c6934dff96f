-- How anything comes into the log: one call is one commit, under the log's one lock.

drop function if exists log.append, log.append_one, log.append_events;

-- What an event and its place in the log are proved by: SHA-256 over its place, its time, and the
-- SHA-256 of all that was known before; 0x00 marks a leaf (RFC 9162, 2.1.1).
create function log.leaf_hash(
    place bigint, at timestamptz, stream uuid, version bigint, topic text, metadata bytea,
    state bytea
) returns bytea language sql stable parallel safe as $$
    select sha256('\x00'::bytea || int8send(place) || timestamptz_send(at) || sha256(
        uuid_send(stream) || int8send(version)
        || int4send(octet_length(topic)) || convert_to(topic, 'UTF8')
        || int4send(length(metadata)) || metadata || state))
$$;

-- All or nothing: where a request of the batch cannot be, nothing is written and `refusals` says
-- which and why, so that the caller comes again without it. Arrays run in parallel: e_* one
-- element an event, g_* one a stream that must stand where it stands, c_* one a claim, d_* one a
-- document, k_* one a command; *_request is the number of the request. e_request has it where an
-- event is the first on its stream, which must stand right before it, and -1 elsewhere. k_last is
-- the number of the request's last event in the batch, 0 when it has none. Plans are made once:
-- the arrays differ in nothing but their length, and planning a small batch takes longer than
-- writing it.
create function log.append(
    e_request int[], e_stream uuid[], e_version bigint[], e_topic text[], e_state bytea[],
    e_metadata bytea[],
    g_request int[], g_stream uuid[], g_version bigint[],
    c_request int[], c_key text[], c_holder uuid[],
    d_digest bytea[], d_size bigint[], d_body bytea[],
    k_request int[], k_id text[], k_fingerprint bytea[], k_result bytea[], k_last int[],
    lock_key bigint
) returns table (base bigint, at timestamptz, refusals jsonb)
language plpgsql security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    n constant int := cardinality(e_stream);
    refused jsonb;
begin
    perform pg_advisory_xact_lock(lock_key);

    select jsonb_agg(jsonb_build_object('request', e.request)) into refusals
        from unnest(e_request, e_stream, e_version) as e(request, stream, version)
        where e.request >= 0 and greatest(e.version - 1, 0) <> coalesce((
            select s.originator_version from log.stored_events s
            where s.originator_id = e.stream order by s.originator_version desc limit 1), 0);

    if cardinality(g_request) > 0 then
        select jsonb_agg(jsonb_build_object('request', g.request)) into refused
            from unnest(g_request, g_stream, g_version) as g(request, stream, version)
            where g.version <> coalesce((
                select s.originator_version from log.stored_events s
                where s.originator_id = g.stream order by s.originator_version desc limit 1), 0);
        refusals := coalesce(refusals || refused, refused, refusals);
    end if;

    if cardinality(c_request) > 0 then
        select jsonb_agg(jsonb_build_object(
                'request', c.request, 'key', c.key, 'holder', held.holder) order by c.o)
            into refused
            from unnest(c_request, c_key, c_holder) with ordinality as c(request, key, holder, o)
            join log.claims held on held.key = c.key
            where c.holder is not null and held.holder <> c.holder;
        refusals := coalesce(refusals || refused, refused, refusals);
    end if;

    if cardinality(k_request) > 0 then
        select jsonb_agg(jsonb_build_object('request', k.request, 'command', k.id)) into refused
            from unnest(k_request, k_id) as k(request, id)
            join log.commands c on c.command_id = k.id;
        refusals := coalesce(refusals || refused, refused, refusals);
    end if;

    if refusals is not null then
        return next;
        return;
    end if;

    if n > 0 then
        update log.head h
            set position = h.position + n,
                recorded_at = greatest(clock_timestamp(), h.recorded_at)
            returning h.position - n, h.recorded_at into base, at;
        insert into log.stored_events
            select e.stream, e.version, e.topic, e.state, base + e.o, at, e.metadata,
                   log.leaf_hash(
                       base + e.o, at, e.stream, e.version, e.topic, e.metadata, e.state)
            from unnest(e_stream, e_version, e_topic, e_state, e_metadata)
                with ordinality as e(stream, version, topic, state, metadata, o);
        perform pg_notify('quarterdeck_log', (base + n)::text);
    else
        select h.position, greatest(clock_timestamp(), h.recorded_at) into base, at
            from log.head h;
    end if;

    if cardinality(c_request) > 0 then
        if array_position(c_holder, null) is not null then
            delete from log.claims held using unnest(c_key, c_holder) as c(key, holder)
                where held.key = c.key and c.holder is null;
        end if;
        insert into log.claims
            select c.key, c.holder, base from unnest(c_key, c_holder) as c(key, holder)
            where c.holder is not null on conflict (key) do nothing;
    end if;

    if cardinality(d_digest) > 0 then
        insert into log.documents
            select d.digest, d.size, d.body
            from unnest(d_digest, d_size, d_body) as d(digest, size, body)
            on conflict (digest) do nothing;
    end if;

    if cardinality(k_request) > 0 then
        insert into log.commands
            select k.id, k.fingerprint, k.result,
                   case when k.last > 0 then base + k.last else 0 end, at
            from unnest(k_id, k_fingerprint, k_result, k_last)
                as k(id, fingerprint, result, last);
    end if;
    return next;
end $$;

-- The same for one event on one stream with nothing beside it, which is most of what comes alone.
-- No row: the stream does not stand right before this version.
create function log.append_one(
    stream uuid, version bigint, event_topic text, event_state bytea, event_metadata bytea,
    lock_key bigint
) returns table (place bigint, at timestamptz)
language plpgsql security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
begin
    perform pg_advisory_xact_lock(lock_key);
    if greatest(version - 1, 0) <> coalesce((
            select s.originator_version from log.stored_events s
            where s.originator_id = stream order by s.originator_version desc limit 1), 0) then
        return;
    end if;
    update log.head h
        set position = h.position + 1, recorded_at = greatest(clock_timestamp(), h.recorded_at)
        returning h.position, h.recorded_at into place, at;
    insert into log.stored_events
        values (stream, version, event_topic, event_state, place, at, event_metadata,
                log.leaf_hash(
                    place, at, stream, version, event_topic, event_metadata, event_state));
    perform pg_notify('quarterdeck_log', place::text);
    return next;
end $$;

revoke execute on function log.append, log.append_one, log.leaf_hash from public;

do $$
begin
    if exists (select from pg_roles where rolname = 'quarterdeck_process') then
        grant execute on function log.append, log.append_one to quarterdeck_process;
    end if;
end $$;
