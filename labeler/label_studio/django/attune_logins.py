"""Open a login of our own Label Studio: run inside its environment, with the wish as JSON on stdin.

``{"email": ..., "password": "new"}`` sets the password and opens the login; sessions and tokens that are out end. Says
"done", or why not, as the last line of stdout. For what must be done while Label Studio does not run, or for the
administrator, as whom Attune would ask; else `attune_api` does it.
"""

import json
import sys


def change(email, password):
    """The word about one login."""
    import attune_people

    user = attune_people.find(email)
    if user is None:
        return "user not found"
    attune_people.open_login(user.email, password)
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
