"""Open or shut a login of our own Label Studio: run inside its environment, with the wish as JSON on stdin.

``{"email": ..., "password": "new"}`` sets the password and opens the login; a password of null shuts it: nobody logs in
any more, and sessions and tokens that are out end. Says "done", or why not, as the last line of stdout.
"""

import json
import sys


def change(email, password):
    """The word about one login."""
    from users.models import User

    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        return "user not found"
    if password is None:
        user.set_unusable_password()
        user.task_locks.all().delete()
    else:
        user.set_password(password)
    user.is_active = password is not None
    user.save(update_fields=["password", "is_active"])
    return "done"


def main():
    """Read the wish from stdin, and say what became of it."""
    if len(sys.argv) > 1:
        print(__doc__)
        return
    import django

    django.setup()
    print(change(**json.load(sys.stdin)))


if __name__ == "__main__":
    sys.exit(main())
