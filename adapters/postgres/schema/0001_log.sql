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

-- One call is one commit. Arrays run in parallel: e_* one element an event, r_* one a request.
-- Each request is judged on its own; what is refused leaves no trace. verdict: 0 written,
-- 1 conflict, 2 claim taken, 3 command seen.
create function log.append(
    e_request int[], e_stream uuid[], e_version bigint[], e_topic text[], e_state bytea[],
    e_metadata bytea[], e_content bytea[],
    x_request int[], x_stream uuid[], x_expected bigint[],
    c_request int[], c_key text[], c_holder uuid[],
    d_request int[], d_digest bytea[], d_size bigint[], d_body bytea[],
    k_request int[], k_id text[], k_fingerprint bytea[], k_result bytea[],
    requests int, lock_key bigint
) returns table (
    verdicts int[], last_positions bigint[], taken text[], holders uuid[], at timestamptz
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    verdict int[] := array_fill(0, array[requests]);
    last bigint[] := array_fill(0::bigint, array[requests]);
    wanted text[] := array_fill(null::text, array[requests]);
    holder uuid[] := array_fill(null::uuid, array[requests]);
    base bigint;
    stamp timestamptz;
    n bigint;
    r record;
begin
    perform pg_advisory_xact_lock(lock_key);
    select h.position, greatest(clock_timestamp(), h.recorded_at) into base, stamp from log.head h;

    for r in
        select x.request from unnest(x_request, x_stream, x_expected) as x(request, stream, expected)
        where coalesce((select max(s.originator_version) from log.stored_events s
                        where s.originator_id = x.stream), 0) <> x.expected
    loop
        verdict[r.request] := 1;
    end loop;

    if cardinality(k_request) > 0 then
        for r in
            select k.request from unnest(k_request, k_id) as k(request, id)
            join log.commands c on c.command_id = k.id
        loop
            verdict[r.request] := 3;
        end loop;
    end if;

    if cardinality(c_request) > 0 then
        for r in
            select c.request, c.key, held.holder
            from unnest(c_request, c_key, c_holder) with ordinality as c(request, key, holder, o)
            join log.claims held on held.key = c.key
            where c.holder is not null and held.holder <> c.holder order by c.o
        loop
            if verdict[r.request] = 0 then
                verdict[r.request] := 2;
                wanted[r.request] := r.key;
                holder[r.request] := r.holder;
            end if;
        end loop;
        delete from log.claims held
            using unnest(c_request, c_key, c_holder) as c(request, key, holder)
            where held.key = c.key and c.holder is null and verdict[c.request] = 0;
        insert into log.claims
            select c.key, c.holder, base from unnest(c_request, c_key, c_holder) as c(request, key, holder)
            where c.holder is not null and verdict[c.request] = 0
            on conflict (key) do nothing;
    end if;

    if cardinality(d_request) > 0 then
        insert into log.documents
            select d.digest, d.size, d.body
            from unnest(d_request, d_digest, d_size, d_body) as d(request, digest, size, body)
            where verdict[d.request] = 0
            on conflict (digest) do nothing;
    end if;

    with placed as (
        select e.*, base + row_number() over (order by e.o) as place
        from unnest(e_request, e_stream, e_version, e_topic, e_state, e_metadata, e_content)
            with ordinality as e(request, stream, version, topic, state, metadata, content, o)
        where verdict[e.request] = 0
    ), inserted as (
        insert into log.stored_events
        select p.stream, p.version, p.topic, p.state, p.place, stamp, p.metadata,
               sha256('\x00'::bytea || int8send(p.place) || timestamptz_send(stamp) || p.content)
        from placed p order by p.place
    )
    select count(*), array_agg(p.request order by p.place), array_agg(p.place order by p.place)
        from placed p into n, e_request, e_version;

    for i in 1..n loop
        last[e_request[i]] := e_version[i];
    end loop;

    if cardinality(k_request) > 0 then
        insert into log.commands
            select k.id, k.fingerprint, k.result, greatest(last[k.request], 0), stamp
            from unnest(k_request, k_id, k_fingerprint, k_result) as k(request, id, fingerprint, result)
            where verdict[k.request] = 0;
    end if;

    if n > 0 then
        update log.head set position = base + n, recorded_at = stamp;
        perform pg_notify('quarterdeck_log', (base + n)::text);
    end if;
    return query select verdict, last, wanted, holder, stamp;
end $$;

-- The same for one event on one stream with nothing beside it, which is most of what comes alone.
create function log.append_one(
    stream uuid, expected bigint, event_topic text, event_state bytea, event_metadata bytea,
    content bytea, lock_key bigint
) returns table (place bigint, at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(lock_key);
    if coalesce((select max(s.originator_version) from log.stored_events s
                 where s.originator_id = stream), 0) <> expected then
        return;
    end if;
    update log.head h
        set position = h.position + 1, recorded_at = greatest(clock_timestamp(), h.recorded_at)
        returning h.position, h.recorded_at into place, at;
    insert into log.stored_events
        values (stream, expected + 1, event_topic, event_state, place, at, event_metadata,
                sha256('\x00'::bytea || int8send(place) || timestamptz_send(at) || content));
    perform pg_notify('quarterdeck_log', place::text);
    return next;
end $$;

-- And for many requests that are nothing but events. verdict: 0 written, 1 conflict.
create function log.append_events(
    e_request int[], e_stream uuid[], e_version bigint[], e_topic text[], e_state bytea[],
    e_metadata bytea[], e_content bytea[],
    x_request int[], x_stream uuid[], x_expected bigint[],
    requests int, lock_key bigint
) returns table (conflicts int[], places bigint[], at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    base bigint;
begin
    perform pg_advisory_xact_lock(lock_key);
    select h.position, greatest(clock_timestamp(), h.recorded_at) into base, at from log.head h;
    select coalesce(array_agg(x.request), '{}') into conflicts
        from unnest(x_request, x_stream, x_expected) as x(request, stream, expected)
        where coalesce((select max(s.originator_version) from log.stored_events s
                        where s.originator_id = x.stream), 0) <> x.expected;
    with placed as (
        select e.*, base + row_number() over (order by e.o) as place
        from unnest(e_request, e_stream, e_version, e_topic, e_state, e_metadata, e_content)
            with ordinality as e(request, stream, version, topic, state, metadata, content, o)
        where not e.request = any(conflicts)
    ), inserted as (
        insert into log.stored_events
        select p.stream, p.version, p.topic, p.state, p.place, at, p.metadata,
               sha256('\x00'::bytea || int8send(p.place) || timestamptz_send(at) || p.content)
        from placed p order by p.place
    )
    select coalesce(array_agg(p.place order by p.o), '{}') from placed p into places;
    if cardinality(places) > 0 then
        update log.head set position = base + cardinality(places), recorded_at = at;
        perform pg_notify('quarterdeck_log', (base + cardinality(places))::text);
    end if;
    return next;
end $$;
