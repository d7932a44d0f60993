"""Our own address: where forms must come from, and the one name of the host that has the cookies."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from letopis.common.errors import LetopisError


class ForeignForm(LetopisError):
    """A page elsewhere sent a form in the name of whoever sits here (cross-site request forgery)."""

    status = 403
    code = "session.foreign_form"
    title = "This form did not come from our own page; open the page again and repeat"


@dataclass(frozen=True, slots=True)
class Origin:
    """`address` is scheme, host and port, as browsers spell an origin."""

    address: str

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of an address."""
        parts = urlsplit(url)
        return cls(f"{parts.scheme}://{parts.netloc}")

    @property
    def secure(self) -> bool:
        return self.address.startswith("https:")

    def is_host(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a request was sent to this name."""
        return headers.get(b"host", b"").decode("latin-1").lower() == urlsplit(self.address).netloc.lower()

    def sent(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a form or script of this origin sent the request; a browser always says so itself."""
        return headers.get(b"origin", b"").decode("latin-1").lower() == self.address.lower()
