"""Hashes of passwords that cost little, for Label Studio's own environment: a real one takes a quarter of a second."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    """Django's own, with few rounds."""

    iterations = 1000
