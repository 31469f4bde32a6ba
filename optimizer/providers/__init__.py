"""One seam to the models, one door to the network, one thin adapter per vendor."""
