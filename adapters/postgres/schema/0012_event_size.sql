-- An event is at most 8 MiB with its envelope (application.ports.MOST_EVENT_BYTES): what the log
-- takes must fit into one message of Kafka. Long texts are documents, which have no such bound.

alter table log.stored_events add constraint stored_events_fits
    check (octet_length(state) + octet_length(metadata) <= 8388608) not valid;

-- Over how many partitions of a topic the workspaces are shared out: what was so at the topic's
-- beginning stays so, because each workspace's events are in order in one partition only.

create table deliveries.topics (
    name text primary key,
    partitions integer not null
);

do $$
begin
    if exists (select from pg_roles where rolname = 'quarterdeck_process') then
        grant select, insert, update, delete on deliveries.topics to quarterdeck_process;
    end if;
end $$;
