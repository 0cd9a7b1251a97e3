"""A company as the others know it: a member, an applicant, or a former member."""

from __future__ import annotations

from dataclasses import dataclass

STRANGER, ADMITTED, ACTIVE, SUSPENDED = "stranger", "admitted", "active", "suspended"
LEAVING, LEFT, EXCLUDED = "leaving", "left", "excluded"

# Statuses in which a member sends transactions and votes.
TAKING_PART = (ACTIVE, LEAVING)
SEATED = (ACTIVE, LEAVING, SUSPENDED)
# Statuses in which a member gets tokens.
PRESENT = (ADMITTED, *SEATED)
GONE = (LEFT, EXCLUDED)


@dataclass
class Company:
    status: str = STRANGER
    membership: int = 0
    deposit: int = 0
    # A leaver cannot depart before this time.
    departs_s: int = 0
    gone_s: int = 0
    # How long earlier suspensions lasted, and when the present one began.
    rested_s: int = 0
    suspended_since_s: int = 0
    # When its bundle was made; a founder has none.
    made_s: int = 0
    # The number of the last carried ballot that makes it come or go.
    carried: int = 0

    def suspended_s(self, now_s: int) -> int:
        """How long the company has been suspended in all until now."""
        return self.rested_s + (now_s - self.suspended_since_s if self.status == SUSPENDED else 0)

    def become(self, status: str, now_s: int) -> None:
        if status in GONE and self.status not in GONE:
            self.gone_s = now_s
        self.rested_s = self.suspended_s(now_s)
        self.suspended_since_s = now_s if status == SUSPENDED else 0
        self.status = status
