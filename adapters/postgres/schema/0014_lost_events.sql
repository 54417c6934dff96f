-- After a failover to a standby that lacked the last events, or a restore of an older backup, the
-- log is shorter than what its readers have seen, and the same positions come again with other
-- events. A mark has the leaf hash of its event, so that this shows; what was found stands here
-- until somebody has accepted it, and until then the reader that found it stands still.

alter table deliveries.marks add column leaf_hash bytea;

create table deliveries.lost_events (
    reader text not null,
    seen bigint not null,
    head bigint not null,
    kept bigint,
    found_at timestamptz not null default clock_timestamp(),
    accepted_at timestamptz
);
create unique index lost_events_open_idx on deliveries.lost_events (reader)
    where accepted_at is null;

do $$
begin
    if exists (select from pg_roles where rolname = 'quarterdeck_process') then
        grant select, insert, update, delete on deliveries.lost_events to quarterdeck_process;
    end if;
end $$;
