"""Makes the database with COUNT keys; prints the Authorization values."""

import sys

import app  # noqa: F401  configures Django
from django.core.management import call_command
from django.db import transaction
from rest_framework_api_key.models import APIKey

call_command("migrate", verbosity=0)
with transaction.atomic():
    for number in range(int(sys.argv[1])):
        print("Api-Key", APIKey.objects.create_key(name=f"job {number}")[1])
