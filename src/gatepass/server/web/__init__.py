"""The pages: sign-in, settings and administration, rendered here and usable without JavaScript."""
