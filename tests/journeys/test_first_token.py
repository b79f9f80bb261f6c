"""The shortest story there is."""

from support.server import Server


def test_a_created_token_is_accepted_until_it_is_deleted(server: Server) -> None:
    value, info = server.create_token(description="nightly export")
    assert server.request("GET", "/verify", bearer=value).status == 200
    assert server.request("DELETE", f"/v4/apiAccessTokens/{info['tokenId']}", bearer=value).status == 204
    assert server.request("GET", "/verify", bearer=value).status == 401
