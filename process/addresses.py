"""The addresses that we hand to providers: where to call us back, and where to fetch an uploaded picture."""

import time

from process.tokens import Signer
from schemas.names import Provider


class Addresses:
    """Makes our public addresses from their base, which has no path."""

    def __init__(self, base_url: str, signer: Signer, *, media_ttl: float) -> None:
        """Take the base, the signer, and for how many seconds a picture's address lives."""
        self._base_url = base_url
        self._signer = signer
        self._media_ttl = media_ttl

    def webhook(self, provider: Provider, attempt_id: str) -> str:
        """Make the address at which a provider calls back about an attempt."""
        return f"{self._base_url}/webhooks/{provider}/{self._signer.webhook_token(attempt_id)}"

    def picture(self, video_id: str) -> str:
        """Make the address of a video's uploaded picture, good from now on."""
        expires_at = time.time() + self._media_ttl
        return f"{self._base_url}/media/{self._signer.media_token(video_id, expires_at=expires_at)}"
