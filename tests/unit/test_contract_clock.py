import time

from contract.clock import RedisClock


class ServerOf1970:
    def __init__(self):
        self.asked = 0

    def time(self):
        self.asked += 1
        return 100, 500_000


def test_the_clock_goes_by_redis_however_far_off_this_host_is():
    clock = RedisClock()
    clock.refresh(ServerOf1970())
    assert 100_500 <= clock.now_ms() < 101_500


def test_until_the_first_look_the_clock_is_this_hosts():
    assert abs(RedisClock().now_ms() - time.time() * 1000) < 1000


def test_redis_is_asked_only_now_and_then():
    clock, server = RedisClock(), ServerOf1970()
    for _ in range(100):
        clock.refresh(server)
    assert server.asked == 1


class Host:
    """The two clocks of a host that can sleep."""

    def __init__(self):
        self.wall, self.monotonic = 1000.0, 10.0

    def awake(self, seconds):
        self.wall += seconds
        self.monotonic += seconds

    def asleep(self, seconds):
        self.wall += seconds


def test_after_a_sleep_of_the_host_redis_is_asked_again():
    host, server = Host(), ServerOf1970()
    clock = RedisClock(lambda: host.wall, lambda: host.monotonic)
    clock.refresh(server)
    host.awake(29)
    clock.refresh(server)
    assert server.asked == 1
    host.asleep(60)
    clock.refresh(server)
    assert server.asked == 2
    assert clock.now_ms() == 100_500
    clock.refresh(server)
    assert server.asked == 2, "one look is enough"
    host.awake(31)
    clock.refresh(server)
    assert server.asked == 3
