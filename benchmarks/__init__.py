"""What Gatepass costs, as ratios inside one run. `make bench` runs all of it; see `__main__.py`."""
