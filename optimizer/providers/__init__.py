"""The interface to models, the one door to the network, and an adapter for each wire format."""
