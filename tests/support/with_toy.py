"""`gatepass` with the toy provider as one more kind: `python with_toy.py serve …`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gatepass.cli import main
from gatepass.identity import KINDS

KINDS["toy"] = "support.toy"
main()
