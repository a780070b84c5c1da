"""The addresses under which services may call us, and whether a call came to one of them.

Every address holds something that cannot be guessed, derived from one secret: so nothing has to be stored, any process
knows every other's addresses, and the secret itself never travels. Comparisons take the same time whatever is wrong.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.domain.jobs import JobId

#: Hexadecimal digits of what makes an address unguessable: 128 bits.
_DIGITS: Final = 32
_SEPARATOR: Final = "_"


class PublicAddress:
    """Where services reach us: made of `PUBLIC_URL` and the webhook secret."""

    def __init__(self, public_url: str, secret: SecretStr) -> None:
        self._url = public_url.rstrip("/")
        self._key = secret.get_secret_value().encode()
        parts = urlsplit(self._url)
        #: Scheme, host and port, without a slash: what OSAIS calls the domain.
        self.domain: Final = f"{parts.scheme}://{parts.netloc}"
        #: A path that the reverse proxy may or may not take away before it passes a call on.
        self._prefix = parts.path
        callbacks = f"{self._prefix}/cb/{self.sign('osais')}".lstrip("/")
        #: Paths without a slash in front, as OSAIS wants them.
        self.notify_uri: Final = f"{callbacks}/notify"
        self.upload_uri: Final = f"{callbacks}/upload"

    def __repr__(self) -> str:
        return f"PublicAddress({self._url!r})"

    def horde_webhook(self, job_id: JobId) -> str:
        """The address that the AI Horde calls about one job."""
        return f"{self._url}/hook/horde/{self.job_token(job_id)}"

    def job_token(self, job_id: JobId) -> str:
        """What stands for a job in its webhook's address."""
        return f"{job_id}{_SEPARATOR}{self.sign('horde', job_id)}"

    def job_of(self, token: str) -> JobId | None:
        """The job that a webhook's address was made for; None for one that nobody made."""
        job_id, _, signature = token.rpartition(_SEPARATOR)
        return JobId(job_id) if self.is_signed(signature, "horde", job_id) else None

    def is_callback_secret(self, segment: str) -> bool:
        """Whether a path holds the secret of OSAIS's callbacks."""
        return self.is_signed(segment, "osais")

    def under(self, path: str) -> str:
        """An address of ours below `PUBLIC_URL`; `path` without a slash in front."""
        return f"{self._url}/{path}"

    def segments(self, path: str) -> list[str]:
        """The path of a call, in parts; slashes too many in front and the prefix of `PUBLIC_URL` do not count."""
        found = "/" + path.lstrip("/")
        if self._prefix and found.startswith(f"{self._prefix}/"):
            found = found.removeprefix(self._prefix)
        return found[1:].split("/")

    def sign(self, *parts: str) -> str:
        """What only somebody who has the secret can put beside these words."""
        message = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:_DIGITS]

    def is_signed(self, signature: str, *parts: str) -> bool:
        """Whether `signature` is that of the words; takes the same time whatever is wrong."""
        return hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), self.sign(*parts).encode())
