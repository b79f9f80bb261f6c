"""The door for directories that push their people: SCIM 2.0 (RFC 7643, RFC 7644), users alone."""
