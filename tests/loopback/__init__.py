"""A server on loopback that speaks the providers' wire formats, sends scripted answers and keeps what it received."""
