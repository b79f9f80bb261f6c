"""`python -m support.quick …` is `gatepass` with passwords that are hashed fast.

What a hash costs is for the benchmarks and for the tests that say so; the others would do little else.
"""

from gatepass.cli import main
from gatepass.identity import local

local.MEMORY_KIB = 64

if __name__ == "__main__":
    main()
