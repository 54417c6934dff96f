-- Plans of the log's own functions are made once, perhaps while its tables are empty: a plan that
-- reads a whole table is right then, and wrong a minute later, when each batch reads every claim
-- there is. What they look up they look up by a key, however small the table is.

alter function log.append_one set enable_seqscan = off;
alter function log.append set enable_seqscan = off;
alter function log.append set enable_hashjoin = off;
alter function log.append set enable_mergejoin = off;
