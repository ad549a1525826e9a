"""Chapter EDG: the edges of an enterprise's network: certificates, proxies, credentials that change, tenants."""

from __future__ import annotations

from typing import Final

from conformance.requirement import Level, Requirement

REQUIREMENTS: Final = (
    Requirement(
        "EDG-01",
        Level.MUST,
        "Where a server asks for a client's certificate it is shown the one that was set, and without one the call fails "
        "as a failure of the network that names no secret.",
        "plan: enterprise authentication; RFC 8446 4.3.2",
        applies_to=frozenset({"http"}),
    ),
    Requirement(
        "EDG-02",
        Level.MUST,
        "With a proxy set every connection goes through it and shows it its credentials; one that refuses ends the call at "
        "once, and no message shows its password; without the setting none is used, whatever the environment says.",
        "plan: enterprise networks; RFC 9110 9.3.6 and 11.7",
        applies_to=frozenset({"http"}),
    ),
    Requirement(
        "EDG-03",
        Level.MUST,
        "Keys from a source are fetched once for all who wait, anew before they end and after a refusal, without a restart; "
        "while older keys are good a source that fails harms nobody, and what is in flight ends on the key it began with.",
        "plan: key rotation; opencode#16038",
        applies_to=frozenset({"keys"}),
    ),
    Requirement(
        "EDG-04",
        Level.MUST,
        "A token service is asked by the client credentials grant, its token is sent as the key until it is about to end, "
        "and neither the client's secret nor a token shows in an error or a representation.",
        "RFC 6749 4.4 and 5.1; gateways before Gemini, OPEA and OVMS",
        applies_to=frozenset({"keys", "http"}),
    ),
    Requirement(
        "EDG-05",
        Level.MUST,
        "What is done on behalf of a tenant is counted for it and for no other, and observers are told whose it is.",
        "plan: per-tenant analytics; litellm#39964",
    ),
)
