"""Who is compared in the verify bench: how each is started, given tokens, asked and stopped."""

from benchmarks.contestants import gateways, ours, peers
from benchmarks.contestants.contestant import Start

LISTENER, NO_OP, SERVE = "verify listener", "its no-op", "/verify in serve"
OVER_POSTGRES, ELSEWHERE = "verify listener over PostgreSQL", "verify listener over --upstream"
UNLIKE = "verify listener, no two requests alike"
NGINX, LUA, HAPROXY = "nginx return 200", "nginx + Lua", "HAProxy map"
BEHIND, BEHIND_NOTHING = "nginx auth_request → listener", "nginx auth_request → nginx return 200"
KNOX, DRF_API_KEY = "django-rest-knox", "djangorestframework-api-key"
JUPYTERHUB, BETTER_AUTH = "JupyterHub", "better-auth"

CONTESTANTS: dict[str, Start] = {
    NGINX: gateways.return_200,
    LISTENER: ours.listener,
    UNLIKE: ours.listener_asked_anew,
    OVER_POSTGRES: ours.listener_over_postgres,
    ELSEWHERE: ours.listener_elsewhere,
    NO_OP: ours.no_op,
    HAPROXY: gateways.haproxy,
    LUA: gateways.lua,
    BEHIND_NOTHING: gateways.auth_request_to_nothing,
    BEHIND: ours.behind_nginx,
    SERVE: ours.serve,
    BETTER_AUTH: peers.better_auth,
    DRF_API_KEY: peers.drf_api_key,
    KNOX: peers.knox,
    JUPYTERHUB: peers.jupyterhub,
}
