"""What schemathesis cannot know of our formats by itself."""

import schemathesis
from hypothesis import strategies as st
from hypothesis.strategies import ip_addresses

LONE = ip_addresses(v=4).map(str) | ip_addresses(v=6, network="2001:db8::/32").map(str)

schemathesis.openapi.format("cidr", LONE | st.sampled_from(["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32", "::/0"]))
