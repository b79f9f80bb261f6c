"""The server: configuration, the HTTP doors (REST, pages, gateways) and what they share."""
