"""Templates: one environment, everything escaped, nothing undefined."""

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from gatepass.server.web.static_files import static_url
from gatepass.server.web.words import Moment, browser_name, day_date, long_date, moment, rights_words, short_id


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("gatepass.server.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = static_url
    made.filters["moment"] = _moment
    made.filters["day_date"] = day_date
    made.filters["sentence"] = _sentence
    made.filters["long_date"] = long_date
    made.filters["short_id"] = short_id
    made.filters["browser"] = browser_name
    made.filters["rights_words"] = rights_words
    return made


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


@pass_context
def _moment(context: Context, instant: datetime) -> Moment:
    return moment(instant, context["now"])


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template filled with `values`."""
    return _environment().get_template(template).render(values)
