import time

from contract.redis.clock import REFRESH_SECONDS, RedisClock


class ServerOf1970:
    def __init__(self):
        self.calls = 0

    def time(self):
        self.calls += 1
        return 100, 500_000


def test_the_clock_follows_redis_however_wrong_the_clock_of_this_host_is():
    clock = RedisClock()
    clock.refresh(ServerOf1970())
    assert 100_500 <= clock.now_ms() < 101_500


def test_before_the_first_refresh_the_clock_is_that_of_this_host():
    assert abs(RedisClock().now_ms() - time.time() * 1000) < 1000


def test_redis_is_queried_only_once_an_interval():
    clock, server = RedisClock(), ServerOf1970()
    for _ in range(100):
        clock.refresh(server)
    assert server.calls == 1


class Host:
    """The two clocks of a host that can sleep."""

    def __init__(self):
        self.wall, self.monotonic = 1000.0, 10.0

    def awake(self, seconds):
        self.wall += seconds
        self.monotonic += seconds

    def asleep(self, seconds):
        self.wall += seconds


def test_after_a_sleep_of_the_host_redis_is_queried_again():
    host, server = Host(), ServerOf1970()
    clock = RedisClock(lambda: host.wall, lambda: host.monotonic)
    clock.refresh(server)
    host.awake(REFRESH_SECONDS / 2)
    clock.refresh(server)
    assert server.calls == 1
    host.asleep(60)
    clock.refresh(server)
    assert server.calls == 2
    assert clock.now_ms() == 100_500
    clock.refresh(server)
    assert server.calls == 2, "one sample is enough"
    host.awake(31)
    clock.refresh(server)
    assert server.calls == 3


def test_the_quickest_of_several_slow_replies_sets_the_offset():
    host = Host()

    class BusyServer:
        """Responds late, as the host sees it; its time was right when the request was sent."""

        def __init__(self, *seconds):
            self.delays = iter(seconds)

        def time(self):
            now = 100.0 + host.monotonic
            host.awake(next(self.delays))
            return int(now), round(now % 1 * 1_000_000)

    clock = RedisClock(lambda: host.wall, lambda: host.monotonic)
    clock.refresh(BusyServer(0.2, 0.04, 0.1, 0.15, 0.3))
    assert abs(clock.now_ms() - (100 + host.monotonic) * 1000) <= 21
    host.awake(40)
    clock.refresh(BusyServer(0.2, 0.001))  # quick enough: there is no third sample
    assert abs(clock.now_ms() - (100 + host.monotonic) * 1000) <= 1.5
