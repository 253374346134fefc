import pytest
from redis.exceptions import OutOfMemoryError, ResponseError

from contract import keys
from contract.redis.commit import BatchTemplate, Outgoing, TemplateResult, commit, remove_consumer

SOURCE = "s"


@pytest.fixture
def client(any_clients):
    any_clients.commands.xgroup_create(keys.crops(SOURCE), keys.INFERENCE_GROUP, id="0", mkstream=True)
    return any_clients.commands


def deliver(client, count, consumer="w1"):
    for number in range(count):
        client.xadd(keys.crops(SOURCE), {"n": number})
    reply = client.xreadgroup(keys.INFERENCE_GROUP, consumer, {keys.crops(SOURCE): ">"})
    return [entry for entry, _ in reply[0][1]]


def outgoing(entries, target="results"):
    return {SOURCE: [Outgoing(entry, target, {b"of": entry}) for entry in entries]}


def test_each_outcome_goes_to_its_stream_and_its_entry_goes_away(client):
    first, second = deliver(client, 2)

    done = commit(client, {SOURCE: [*outgoing([first])[SOURCE], *outgoing([second], "dead")[SOURCE]]}, {SOURCE: 0})

    assert done == {SOURCE: 2}
    assert [fields for _, fields in client.xrange(keys.results(SOURCE))] == [{b"of": first}]
    assert [fields for _, fields in client.xrange(keys.dead(SOURCE))] == [{b"of": second}]
    assert client.xlen(keys.crops(SOURCE)) == 0
    assert client.xpending(keys.crops(SOURCE), keys.INFERENCE_GROUP)["pending"] == 0


def test_results_of_a_template_and_other_outcomes_are_stored_in_their_given_order(client):
    first, second, third, fourth = deliver(client, 4)
    template = BatchTemplate((b"a", b"b"), {b"same": b"in all", b"v": b"1"})
    given = [
        TemplateResult(first, (b"1", b"")),
        Outgoing(second, "results", {b"other": b"fields"}),
        Outgoing(third, "dead", {b"reason": b"why"}),
        TemplateResult(fourth, (b"3", b"template")),
    ]

    assert commit(client, {SOURCE: given}, {SOURCE: 0}, template) == {SOURCE: 4}

    assert [fields for _, fields in client.xrange(keys.results(SOURCE))] == [
        {b"a": b"1", b"b": b"", b"same": b"in all", b"v": b"1"},
        {b"other": b"fields"},
        {b"a": b"3", b"b": b"template", b"same": b"in all", b"v": b"1"},
    ]
    assert [fields for _, fields in client.xrange(keys.dead(SOURCE))] == [{b"reason": b"why"}]


def test_a_server_that_does_not_know_the_script_any_more_still_commits(client):
    first, second = deliver(client, 2)
    commit(client, outgoing([first]), {SOURCE: 0})
    client.script_flush()

    assert commit(client, outgoing([second]), {SOURCE: 0}) == {SOURCE: 1}
    assert client.xlen(keys.results(SOURCE)) == 2


def test_only_outcomes_of_pending_entries_are_stored(client):
    first, second, third = deliver(client, 3)
    commit(client, outgoing([second]), {SOURCE: 0})
    template = BatchTemplate((b"of",), {})

    given = [
        TemplateResult(first, (first,)),
        Outgoing(second, "results", {b"of": b"late"}),
        TemplateResult(third, (third,)),
    ]
    assert commit(client, {SOURCE: given}, {SOURCE: 0}, template) == {SOURCE: 2}

    assert [fields for _, fields in client.xrange(keys.results(SOURCE))] == [
        {b"of": second},
        {b"of": first},
        {b"of": third},
    ]


def test_the_second_of_two_commits_of_an_entry_stores_nothing(client):
    entries = deliver(client, 3)
    commit(client, outgoing(entries), {SOURCE: 0})

    assert commit(client, outgoing(entries), {SOURCE: 0}) == {SOURCE: 0}
    assert client.xlen(keys.results(SOURCE)) == 3


def test_an_entry_that_was_never_delivered_gets_no_outcome(client):
    entry = client.xadd(keys.crops(SOURCE), {"n": 1})

    assert commit(client, outgoing([entry]), {SOURCE: 0}) == {SOURCE: 0}
    assert client.xlen(keys.crops(SOURCE)) == 1


def test_the_worker_from_which_an_entry_was_claimed_may_still_be_first_but_only_one_is(client):
    entries = deliver(client, 1)
    client.xautoclaim(keys.crops(SOURCE), keys.INFERENCE_GROUP, "w2", 0)

    assert commit(client, outgoing(entries), {SOURCE: 0}) == {SOURCE: 1}
    assert commit(client, outgoing(entries), {SOURCE: 0}) == {SOURCE: 0}


def test_a_commit_takes_the_entry_out_of_the_set_of_those_run_alone(client):
    entries = deliver(client, 1)
    client.sadd(keys.quarantined(SOURCE), *entries, "another")

    commit(client, outgoing(entries), {SOURCE: 0})

    assert client.smembers(keys.quarantined(SOURCE)) == {b"another"}


def test_live_results_are_trimmed_and_those_of_a_job_are_not(client):
    for _ in range(5):
        commit(client, outgoing(deliver(client, 100)), {SOURCE: 0})
    assert client.xlen(keys.results(SOURCE)) == 500

    commit(client, outgoing(deliver(client, 1)), {SOURCE: 100})
    assert client.xlen(keys.results(SOURCE)) < 300  # trimming is by whole nodes of about 100 entries


def test_keys_of_a_job_expire_even_if_only_workers_are_left_and_those_of_a_camera_do_not(client):
    commit(client, outgoing(deliver(client, 1)), {SOURCE: 100})
    assert client.ttl(keys.results(SOURCE)) == client.ttl(keys.crops(SOURCE)) == -1

    entries = deliver(client, 2)
    client.sadd(keys.quarantined(SOURCE), "another")
    commit(client, outgoing(entries[:1]), {SOURCE: 0})
    commit(client, outgoing(entries[1:], "dead"), {SOURCE: 0})
    lives = [client.ttl(key) for key in keys.of_job(SOURCE)]
    assert min(lives) > 60
    assert max(lives) <= keys.JOB_KEYS_SECONDS


def test_an_outcome_that_comes_after_the_job_was_closed_goes_when_its_crops_go(client):
    entries = deliver(client, 1)
    client.expire(keys.crops(SOURCE), 5)
    commit(client, outgoing(entries), {SOURCE: 0})
    assert 0 < client.ttl(keys.results(SOURCE)) <= 5


def test_with_redis_out_of_memory_commits_still_go_through(client):
    entries = deliver(client, 50)
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    with pytest.raises(OutOfMemoryError):
        client.set("anything", "else")

    assert commit(client, outgoing(entries), {SOURCE: 0}) == {SOURCE: 50}


def test_a_results_key_of_another_type_is_seen_before_anything_is_acknowledged(client):
    entries = deliver(client, 2)
    client.set(keys.results(SOURCE), "not a stream")

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        commit(client, outgoing(entries), {SOURCE: 0})

    assert client.xpending(keys.crops(SOURCE), keys.INFERENCE_GROUP)["pending"] == 2


def test_several_sources_are_committed_in_one_call_and_one_that_is_refused_does_not_stop_the_others(client):
    mine = deliver(client, 1)
    client.xgroup_create(keys.crops("other"), keys.INFERENCE_GROUP, id="0", mkstream=True)
    client.set(keys.dead("other"), "not a stream")

    with pytest.raises(ResponseError):
        commit(
            client, {"other": [Outgoing(b"1-1", "results", {b"a": b"b"})], **outgoing(mine)}, {"other": 0, SOURCE: 0}
        )

    assert client.xlen(keys.results(SOURCE)) == 1


def test_only_a_consumer_that_holds_nothing_is_removed(client):
    (entry,) = deliver(client, 1)
    assert not remove_consumer(client, SOURCE, "w1")

    commit(client, outgoing([entry]), {SOURCE: 0})

    assert remove_consumer(client, SOURCE, "w1")
    assert client.xinfo_consumers(keys.crops(SOURCE), keys.INFERENCE_GROUP) == []


def test_removing_a_consumer_from_a_missing_group_is_no_error(client):
    client.flushall()
    assert not remove_consumer(client, SOURCE, "w1")
