"""Who may send which request: hosts, tokens, sessions, roles, rate limits, the audit log."""
