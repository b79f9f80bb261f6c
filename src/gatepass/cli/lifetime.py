"""Lifetimes as people type them."""

import re
from typing import Any

import click

from gatepass.model.token import MAXIMUM_LIFETIME_SECONDS, NEVER_EXPIRES

_FORM = re.compile(r"\A([0-9]{1,10})([smhd])\Z", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Lifetime(click.ParamType[int]):
    """`100s 15m 12h 30d never`, read as whole seconds (-1 for never)."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return seconds, or fail with a usage error."""
        if isinstance(value, int):
            return value
        if value == "never":
            return NEVER_EXPIRES
        form = _FORM.match(value)
        seconds = int(form[1]) * _SECONDS[form[2]] if form else 0
        if not 1 <= seconds <= MAXIMUM_LIFETIME_SECONDS:
            self.fail(f"{value!r} is not a lifetime; write it like 100s, 15m, 12h, 30d or never", param, ctx)
        return seconds
