"""Makes the database with one user and COUNT tokens; prints the Authorization values."""

import sys

import app  # noqa: F401  configures Django
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from knox.models import AuthToken

call_command("migrate", verbosity=0)
user = User.objects.create_user("ada")
with transaction.atomic():
    for _ in range(int(sys.argv[1])):
        print("Token", AuthToken.objects.create(user)[1])
