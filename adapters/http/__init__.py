"""HTTP: the pages, the integration API, the live feed and the probes, over one set of commands."""
