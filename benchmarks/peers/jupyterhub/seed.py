"""Adds COUNT generated tokens to the running hub's database; prints the Authorization values."""

import os
import sys

from jupyterhub import orm
from jupyterhub.utils import new_token

session = orm.new_session_factory(f"sqlite:///{os.environ['PEER_FOLDER']}/database")()
user = orm.User.find(session, "ada")
for _ in range(int(sys.argv[1])):
    value = new_token()
    record = orm.APIToken(generated=True, note="", client_id="jupyterhub", scopes=["inherit"])
    session.add(record)
    record.token = value
    record.user = user
    print("token", value)
session.commit()
