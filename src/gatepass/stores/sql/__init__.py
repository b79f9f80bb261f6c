"""Stores that speak SQL: one text for every database, and a driver for each."""
