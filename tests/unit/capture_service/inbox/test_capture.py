from threading import Event

from capture_service.inbox.capture import InboxCapture
from capture_service.publishing.crops import Batch
from contract.errors import BrokerUnavailable
from contract.redis.outage import OutageLog

BATCH = Batch([])


class Registration:
    """Counts its calls; the lease is held for the first `held_for` of them."""

    def __init__(self, held_for=1000):
        self.calls, self.held_for = 0, held_for

    def acquire_or_renew(self):
        self.calls += 1
        return self.calls <= self.held_for


class Publisher:
    """Redis is unreachable for so many attempts."""

    def __init__(self, away_for):
        self.attempts, self.away_for = 0, away_for

    def send(self, _batch):
        self.attempts += 1
        if self.attempts <= self.away_for:
            raise BrokerUnavailable("away")


def inbox(publisher, registration):
    return InboxCapture(
        source="uploads", clients=None, decoder=None, publisher=publisher, registration=registration,
        clock=None, outage=OutageLog(),
    )  # fmt: skip


def test_while_a_picture_waits_for_redis_the_loop_still_runs():
    publisher, registration = Publisher(away_for=3), Registration()
    assert inbox(publisher, registration)._send(BATCH, Event())
    assert publisher.attempts == 4
    assert registration.calls >= 4, "each turn feeds the watchdog and renews the lease"


def test_a_picture_is_left_to_the_process_that_took_over_meanwhile():
    publisher = Publisher(away_for=1000)
    assert not inbox(publisher, Registration(held_for=2))._send(BATCH, Event())
    assert publisher.attempts == 2


def test_a_stop_ends_the_wait_for_redis():
    stop = Event()
    stop.set()
    assert not inbox(Publisher(away_for=1000), Registration())._send(BATCH, stop)
