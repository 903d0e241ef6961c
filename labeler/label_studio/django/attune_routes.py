"""Every route that this Label Studio's own resolver lists: run inside its environment, prints JSON, a row a route.

``route`` is as the table of doors writes it, ``methods`` those that its view takes, ``example`` an address with a place
``{name}`` for each value. ``reached`` is the route that such an address really leads to: some patterns are caught by an
earlier one, as ``version/`` stands without an anchor. What a new release adds is here without anyone writing it down.
"""

import json
import re
import sys

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OF_A_FUNCTION = ("GET", "POST", "DELETE")  # a view that is a function does not say what it takes


def routes():
    """The rows, in the order that the resolver tries them."""
    from django.urls import get_resolver

    rows = []
    for route, parts, pattern in _walk(get_resolver().url_patterns):
        example = "/" + _example(parts)
        rows.append(
            {"route": route, "methods": _methods(pattern.callback), "example": example, "reached": _reached(example)}
        )
    return rows


def _reached(example):
    from django.urls import Resolver404, resolve

    try:
        return resolve(re.sub(r"{\w+}", "1", example)).route
    except Resolver404:
        return None


def _walk(patterns, route="", parts=()):
    for one in patterns:
        written = str(one.pattern)
        # As Django joins them (URLResolver._join_route).
        joined = written if not route else route + written.removeprefix("^")
        below = (*parts, one.pattern.regex.pattern)
        if hasattr(one, "url_patterns"):
            yield from _walk(one.url_patterns, joined, below)
        else:
            yield joined, below, one


def _methods(view):
    actions = getattr(view, "actions", None)
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if actions:
        return sorted({name.upper() for name in actions} & set(METHODS))
    if view_class is not None:
        allowed = getattr(view_class, "http_method_names", [name.lower() for name in METHODS])
        return [name for name in METHODS if name.lower() in allowed and hasattr(view_class, name.lower())]
    return list(OF_A_FUNCTION)


def _example(parts):
    from django.utils.regex_helper import normalize

    path = ""
    for part in parts:
        text, names = normalize(part)[0]
        path += text % {name: "{" + name + "}" for name in names}
    return path.replace("{format}", ".json" if "{format}" in path and "." not in path else "json")


def main():
    """Print them."""
    if len(sys.argv) > 1:
        print(__doc__)
        return
    import django

    django.setup()
    print(json.dumps(routes()))


if __name__ == "__main__":
    sys.exit(main())
