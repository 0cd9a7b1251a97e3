"""The channel's configuration on both ledgers: read the newest, sign an update, hand it in, wait until in force."""

from ledger.configuration.errors import (
    NoOrdererAnswers,
    QuorumAtRisk,
    UpdateOvertaken,
    UpdateRefused,
)
from ledger.configuration.height import ordered_height
from ledger.configuration.reading import (
    config_blocks,
    newest_channel,
    newest_config_block,
)
from ledger.configuration.submission import (
    SubmissionLimits,
    is_admitted,
    submit_update,
)
from ledger.configuration.update import (
    sign_update,
    signed_update,
)

__all__ = [
    "NoOrdererAnswers",
    "QuorumAtRisk",
    "SubmissionLimits",
    "UpdateOvertaken",
    "UpdateRefused",
    "config_blocks",
    "is_admitted",
    "newest_channel",
    "newest_config_block",
    "ordered_height",
    "sign_update",
    "signed_update",
    "submit_update",
]
