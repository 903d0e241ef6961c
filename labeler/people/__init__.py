"""Users and experts: logins, links, tokens and sessions, from the invitation to the end of access."""
