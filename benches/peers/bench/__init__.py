"""The bench: wscheck beside its peers, in one run on one machine against one server."""
