"""Redis: connections, outages, its clock, leases and the commit of results."""
