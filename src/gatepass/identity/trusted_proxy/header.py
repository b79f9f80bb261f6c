"""The one value of the header that a proxy sets."""

import re
from collections.abc import Sequence

from gatepass.model.identity import NotProven

_SPELLING = re.compile(r"[^a-z0-9]", re.ASCII)


def sole_value(headers: Sequence[tuple[str, str]], name: str) -> str:
    """Return the value of the header `name`.

    Raises NotProven if it is missing or there twice, or there is another that some server would take for it, such
    as one with `_` for `-`: then it did not come by the proxy alone.
    """
    wanted = _spelling(name)
    alike = [(each.lower(), value) for each, value in headers if _spelling(each) == wanted]
    if not alike:
        raise NotProven("the proxy said nothing")
    if len(alike) > 1 or alike[0][0] != name:
        raise NotProven("the header is there twice, or in another spelling")
    return alike[0][1]


def _spelling(name: str) -> str:
    return _SPELLING.sub("", name.lower())
