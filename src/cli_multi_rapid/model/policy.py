"""What excuses a finding: waivers and the baseline, as the base revision has them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from cli_multi_rapid.model.gate import Excuse, Finding, WaiverUse
from cli_multi_rapid.model.keys import key
from cli_multi_rapid.model.phase import STRICT

WAIVERS_SCHEMA = "cmr/waivers@v1"
BASELINE_SCHEMA = "cmr/baseline@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base revision: its commit id, and in words why it is that one. `texts` has the policy files that it has."""

    commit: str
    why: str
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the base revision excuses. Without a base nothing is.

    `base` is its commit id. `baseline` has the fingerprints of the findings that were there by the name of their gate,
    `covered` the coverage that may not fall, in percent as an exact fraction, by the name of its gate.
    """

    base: str = ""
    waivers: tuple[WaiverUse, ...] = ()
    baseline: Mapping[str, frozenset[str]] = field(default_factory=dict)
    covered: Mapping[str, str] = field(default_factory=dict)

    def waiver_of(self, finding: Finding) -> WaiverUse | None:
        """Return the waiver that names a finding, one in force before one that has expired."""
        name = (finding.rule, finding.path, finding.fingerprint)
        found = [one for one in self.waivers if (one.rule, one.path, one.fingerprint) == name]
        return min(found, key=lambda one: one.expired, default=None)

    def excuse(self, gate: str, finding: Finding) -> Excuse | None:
        """Return why a finding of a gate does not count; None where it does."""
        waiver = self.waiver_of(finding) if self.waivers else None
        if waiver is not None and not waiver.expired:
            return Excuse.WAIVER
        return Excuse.BASELINE if finding.fingerprint in self.baseline.get(gate, frozenset()) else None


def has_expired(expires: str, now: datetime) -> bool:
    """Tell whether a time, in ISO 8601 with a zone, has come: what expires is valid while now is before it."""
    return now >= datetime.fromisoformat(expires).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One waiver of `config/waivers.yaml`: it excuses one finding until it expires."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    rule: str = key("Rule of the finding.", pattern=r"\S")
    path: str = key("Path of the finding, without wildcards.", pattern=r"\S")
    fingerprint: str = key("Fingerprint of the finding.", pattern=r"^sha256:[0-9a-f]{64}$")
    reason: str = key("Why the finding may stay.", pattern=r"\S")
    approved_by: str = key(
        "Who approved it: an e-mail address or a name, of somebody else than who wrote the waiver.",
        alias="approved-by",
        pattern=r"\S",
    )
    expires: str = key("When it ends: a time with its zone, such as 2027-01-31T00:00:00Z. It is valid before that.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFile:
    """`config/waivers.yaml`."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT
    schema: str = key("Version of this format.", pattern=r"^cmr/waivers@v1$")
    waivers: tuple[Waiver, ...] = key("The waivers.", default=())
