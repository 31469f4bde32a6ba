"""A server on loopback that speaks the providers' wire formats, answers as told and keeps what it received."""
