"""Keys of providers that the user stored: in the system's keyring, or in an encrypted file."""
