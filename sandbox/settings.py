"""What the stand-ins may be told before they start."""

from dataclasses import dataclass
from typing import Literal, get_args

Provider = Literal["iacrea", "homedesigns"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """All settings of the stand-ins; durations are seconds. Raises ValueError naming a wrong field."""

    host: str = "127.0.0.1"
    port: int = 8090
    """0 lets the system choose."""
    iacrea_port: int | None = None
    """A further port for IACrea, which the outage `refuse` really closes; 0 lets the system choose."""
    homedesigns_port: int | None = None
    public_url: str = ""
    """Base of clip addresses; by default where the stand-ins listen."""
    iacrea_api_key: str = "sandbox-iacrea-key"
    iacrea_user_id: str = "5a0db0c5-0000-4000-8000-000000000001"
    homedesigns_token: str = "sandbox-homedesigns-token"  # noqa: S105  (a made-up one, worth nothing)
    credits: int = 100_000
    """What each provider's account holds at the start."""
    render_seconds: float = 2.0
    """How long a video takes, give or take the jitter."""
    iacrea_render_seconds: float | None = None
    homedesigns_render_seconds: float | None = None
    jitter: float = 0.2
    """Share by which the time of one video may differ either way."""
    render_clips: bool = True
    """Whether a clip is made from the picture when somebody asks for it; else all get the same small one."""
    fetch_pictures: bool = True
    """Whether IACrea fetches the picture, as the real one must; off for load tests."""
    iacrea_behaviour: str = "ok"
    homedesigns_behaviour: str = "ok"
    seed: int = 1
    late_seconds: float = 30.0
    """When the late behaviours act, unless a plan or marker says otherwise."""
    bad_id_seconds: float = 2.0
    retry_after_seconds: float = 2.0
    slow_body_seconds: float = 120.0
    """How long a dripped answer takes from its first to its last byte."""
    hang_seconds: float = 600.0
    """After which even a request that is never answered is dropped."""
    webhook_on_failed: bool = True
    webhook_timeout: float = 5.0
    webhooks_in_flight: int = 64
    max_records: int = 200_000
    """Submissions remembered; the oldest are forgotten first."""
    max_picture_bytes: int = 32 * 1024 * 1024
    reach: tuple[str, ...] = ()
    """Hosts beyond loopback that webhooks and picture fetches may go to."""

    def __post_init__(self) -> None:
        """Refuse what could not work."""
        for name in ("port", "iacrea_port", "homedesigns_port"):
            port = getattr(self, name)
            if port is not None and not 0 <= port <= 65535:
                raise ValueError(f"{name}: {port} is no port; give 0 to 65535")
        for name in ("render_seconds", "late_seconds", "webhook_timeout", "credits"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: must not be negative")
        if not 0 <= self.jitter < 1:
            raise ValueError("jitter: give a share from 0 up to, not including, 1")

    @property
    def base_url(self) -> str:
        """Where clips are found, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104  (compared, not bound)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def seconds_to_render(self, provider: Provider) -> float:
        """How long a video takes at this provider."""
        own = self.iacrea_render_seconds if provider == "iacrea" else self.homedesigns_render_seconds
        return self.render_seconds if own is None else own

    def behaviour(self, provider: Provider) -> str:
        """What this provider does while nothing else is chosen."""
        return self.iacrea_behaviour if provider == "iacrea" else self.homedesigns_behaviour
