"""HTTPX for the tests' own servers, which speak plain HTTP.

To read the certificates of the world's authorities takes it a hundred times as long as a request.
"""

from __future__ import annotations

import ssl
from functools import partial

import httpx

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

get = partial(httpx.get, verify=_NO_TLS)
post = partial(httpx.post, verify=_NO_TLS)
stream = partial(httpx.stream, verify=_NO_TLS)
Client = partial(httpx.Client, verify=_NO_TLS)
