"""Makes the database with COUNT tokens of many users; prints the Authorization values.

At each check knox goes through all tokens of the user to delete what has expired: with 10,000 of one user, a third of a
second.
"""

import sys

import app  # noqa: F401  configures Django
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from knox.models import AuthToken

TOKENS_OF_ONE = 10

call_command("migrate", verbosity=0)
with transaction.atomic():
    for number in range(int(sys.argv[1])):
        if number % TOKENS_OF_ONE == 0:
            user = User.objects.create_user(f"user{number}")
        print("Token", AuthToken.objects.create(user)[1])
