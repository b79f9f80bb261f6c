"""The REST API: one file for each noun, each with a table of its routes."""
