"""An outage of Redis, in two log lines however long it lasts."""

import structlog
from redis.exceptions import ResponseError

from contract.errors import BrokerUnavailable

logger = structlog.get_logger(__name__)


class Outage:
    """Whether Redis is away, as one process sees it."""

    def __init__(self) -> None:
        self.lasts = False

    def noticed(self, error: BrokerUnavailable | ResponseError) -> None:
        """Redis failed, or refuses; the first time is worth a line."""
        if not self.lasts:
            self.lasts = True
            logger.warning("redis cannot serve, retrying", error=str(error))

    def over(self) -> None:
        """Redis answered."""
        if self.lasts:
            self.lasts = False
            logger.warning("redis serves again")  # as loud as the outage, so that nobody is left in doubt
