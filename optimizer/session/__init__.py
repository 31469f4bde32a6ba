"""Conversations: what was said and shown in them, how its pieces depend on each other, and what is sent again."""
