"""PostgreSQL: the event log, the read models and everything that is stored beside them."""
