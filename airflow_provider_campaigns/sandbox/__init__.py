"""The vendors' APIs as a local server, with faults to order. It never messages anybody."""
