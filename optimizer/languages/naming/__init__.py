"""What names mean in each language: who sees them, what they are used for, and what brings them; pure."""
