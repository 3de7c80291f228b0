"""Sending a JSON object to an address."""

import json
from collections.abc import Mapping
from urllib.parse import urlparse

TIMEOUT_S = 10.0


def post_json(address: str, payload: Mapping[str, object]) -> str:
    """Send an object; return what went wrong, or nothing. The address itself, which may be a secret, is never in it."""
    import http.client
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: object, **__: object) -> None:
            return None  # a redirection could lead anywhere

    if urlparse(address).scheme not in ("http", "https"):
        return "the address is neither http:// nor https://"
    headers = {"Content-Type": "application/json", "User-Agent": "cli-multi-rapid"}
    request = Request(address, data=json.dumps(payload).encode(), headers=headers, method="POST")  # noqa: S310  checked
    try:
        with build_opener(Stay).open(request, timeout=TIMEOUT_S):
            return ""
    except (OSError, http.client.HTTPException, ValueError) as failed:
        code = getattr(failed, "code", None)
        return f"the receiver answered {code}" if code else f"it could not be reached: {type(failed).__name__}"
