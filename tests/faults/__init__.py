"""Faults that are made on purpose, shared by the tests that hold them at bay and the benchmark that counts them."""
