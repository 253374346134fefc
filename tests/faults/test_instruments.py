"""The instruments themselves: a fault that they would not see would prove nothing."""

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from contract import keys
from contract.redis.broker import connect
from tests.faults.ledger import Ledger
from tests.faults.load import Load, crop_id
from tests.faults.waiting import until
from tests.inference import add, crop
from tests.stage import reading

pytestmark = pytest.mark.row(0)


def test_the_proxy_forwards_slices_breaks_connections_and_drops_data_on_request(proxy):
    clients = connect(proxy.url, "proxied")
    commands = clients.commands
    value = bytes(range(256)) * 400
    proxy.longest_slice = 100
    assert commands.set("key", value)
    assert commands.get("key") == value
    proxy.longest_slice = 0
    before = commands.client_id()
    assert proxy.reset() == 1
    assert commands.client_id() != before
    proxy.lose("replies")
    with pytest.raises(RedisTimeoutError):
        commands.incr("counter")
    proxy.lose()
    assert int(commands.get("counter")) == 1  # executed, although no client received the reply
    clients.close()


def commit(client, *crops):
    """Store an outcome for each, as a worker would."""
    for one in crops:
        client.xadd(keys.results("clip"), reading("clip", one.id.frame, index=one.face.index).fields())


def test_the_ledger_counts_waiting_and_lost_crops(ledger, clients):
    crops = [crop("clip", frame) for frame in range(10)]
    ledger.add(map(crop_id, crops))
    add(clients.commands, "clip", *crops[:2])
    commit(clients.commands, *crops[2:7])
    assert str(ledger.balance()) == "added=10 ok=5 stale=0 dead=0 trimmed=0 erased=0 backlog=2 lost=3 duplicates=0"
    assert not ledger.balance().settled


def test_the_ledger_counts_crops_with_two_outcomes(clients):
    ledger = Ledger(clients.commands, "clip")
    ledger.add(["clip:e1:0:0"])
    commit(clients.commands, crop("clip", 0), crop("clip", 0))
    assert str(ledger.balance()) == "added=1 ok=1 stale=0 dead=0 trimmed=0 erased=0 backlog=0 lost=0 duplicates=1"
    assert ledger.repeated == ["clip:e1:0:0"]


def test_the_ledger_counts_crops_that_were_trimmed_unread_and_crops_that_were_erased(ledger, clients):
    client = clients.commands
    crops = [crop("clip", frame) for frame in range(30)]
    ledger.add(map(crop_id, crops))
    commit(client, *crops[:10])
    ledger.read()
    commit(client, *crops[10:15])
    client.xtrim(keys.results("clip"), maxlen=2, approximate=False)
    assert ledger.balance().trimmed == 3
    add(client, "clip", *crops[15:22])
    commit(client, *crops[22:24])
    ledger.flush()
    commit(client, *crops[24:])
    client.xtrim(keys.results("clip"), maxlen=0, approximate=False)
    assert str(ledger.balance()) == "added=30 ok=14 stale=0 dead=0 trimmed=9 erased=7 backlog=0 lost=0 duplicates=0"


def test_without_faults_every_crop_gets_the_reading_of_its_own_pixels(server, ledger, crew):
    crew.start()
    with Load(server.url, ledger, 100) as load:
        until(lambda: len(ledger.readings) > 200 or ledger.read())
        load.end_sending()
        until(lambda: ledger.balance().settled)
    load.check_answers()
    assert ledger.added == 4 * load.frames


def test_the_ledger_detects_a_reading_of_other_pixels(server, ledger, crew):
    crew.start()
    with Load(server.url, ledger, 10) as load:
        until(lambda: ledger.readings or ledger.read())
    load.crops[next(iter(ledger.readings))] = (1.0, 0.0, 0.0, 0.0, 0.0)
    with pytest.raises(AssertionError, match="other pixels"):
        load.check_answers()
