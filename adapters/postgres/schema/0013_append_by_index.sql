-- Plans of the log's own functions are made once, perhaps while its tables are empty: a plan that
-- reads a whole table is right then, and wrong a minute later, when each batch reads every claim
-- there is. What they look up they look up by a key, however small the table is.
do $$
declare
    appending text;
begin
    foreach appending in array array['log.append', 'log.append_one'] loop
        execute format('alter function %s set enable_seqscan = off', appending);
        execute format('alter function %s set enable_hashjoin = off', appending);
        execute format('alter function %s set enable_mergejoin = off', appending);
    end loop;
end $$;
