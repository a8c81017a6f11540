"""The session URL of an exchange: the way for documents and patches that are too large for a header."""
import http.client
import urllib.parse

SILENCE_SECONDS = 10


def _ask(url, method, body=None):
    # Straight to the gateway, whatever proxies the environment names.
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "http":
        raise ValueError("the session URL is not one")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SILENCE_SECONDS)
    try:
        connection.request(method, parts.path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def fetch_document(url):
    """The document, as text. OSError, HTTPException, RuntimeError."""
    status, body = _ask(url, "GET")
    if status != 200:
        raise RuntimeError(f"the session URL answered {status}: {body[:300]!r}")
    return body.decode()


def send_patch(url, patch):
    """Hands over a patch; it is committed with the exchange. Errors as above."""
    status, body = _ask(url, "PATCH", patch)
    if status != 204:
        raise RuntimeError(f"the gateway did not take the session's patch ({status}): {body[:300]!r}")
