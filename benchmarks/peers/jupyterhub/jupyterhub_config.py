"""JupyterHub without its proxy: the hub itself is asked who a token belongs to."""

import os

from jupyterhub.proxy import Proxy


class NoProxy(Proxy):
    """Remembers the routes the hub wants; nothing is routed."""

    should_start = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.routes = {}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes


c = get_config()  # noqa: F821  given by JupyterHub
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_bind_url = os.environ["PEER_URL"]
c.JupyterHub.db_url = f"sqlite:///{os.environ['PEER_FOLDER']}/database"
c.JupyterHub.cookie_secret_file = f"{os.environ['PEER_FOLDER']}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.log_level = "WARN"
c.Authenticator.allowed_users = {"ada"}
c.Authenticator.any_allow_config = True
