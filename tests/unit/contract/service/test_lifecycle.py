import signal
import subprocess
import sys
from threading import Event

import pytest

from contract.errors import ModelError
from contract.service.lifecycle import run, stop_on_signal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_sets_the_event(number):
    with stop_on_signal() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.wait(5)


def test_a_stop_requested_before_a_thread_waits_for_it_is_not_lost():
    stop = Event()
    with stop_on_signal(stop):
        signal.raise_signal(signal.SIGTERM)
    assert stop.wait(5)


def test_the_handlers_are_restored_at_the_end():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with stop_on_signal():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_hang_up_that_nohup_has_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signal() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.wait(0.2)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_signal_acts_at_once():
    script = (
        "import time, sys; from contract.service.lifecycle import stop_on_signal\n"
        "with stop_on_signal() as stop:\n"
        "    print('ready', flush=True); stop.wait(); print('stopping', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.readline() == "stopping\n"
        process.terminate()
        assert process.wait(10) == -signal.SIGTERM


def test_an_error_that_a_person_can_mend_is_one_line_and_exit_code_2(capsys):
    def main() -> None:
        raise ModelError("no model called 'x'")

    with pytest.raises(SystemExit) as ended:
        run(main)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "emotii: no model called 'x'\n"


def test_an_unexpected_error_is_not_hidden():
    def main() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run(main)


def test_an_unexpected_error_on_a_thread_ends_the_process():
    program = (
        "import sys, threading, time\n"
        "from contract.service.lifecycle import run\n"
        "def main():\n"
        "    threading.Thread(target=sys.exit).start()\n"
        "    time.sleep(0.5)\n"
        "    print('after the end of a thread', flush=True)\n"
        "    threading.Thread(target=lambda: 1 / 0).start()\n"
        "    time.sleep(60)\n"
        "run(main)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert ended.stdout == "after the end of a thread\n"
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr


CHILD = """
from contract.service.lifecycle import stop_on_signal, stop_with_parent
with stop_on_signal() as stop:
    stop_with_parent(stop)
    print("ready", flush=True)
    stop.wait()
    print("ended in order", flush=True)
"""
PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""


def test_a_process_ends_in_order_when_its_parent_is_killed():
    # The grandchild inherits the pipe, so that its output is still read after its parent has ended.
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
        assert parent.stdout.readline() == "ended in order\n"


def test_files_of_a_service_and_of_its_children_belong_to_their_user_alone(tmp_path):
    code = (
        "import pathlib, subprocess, sys\n"
        "from contract.service.lifecycle import private_files\n"
        "private_files()\n"
        "pathlib.Path('folder').mkdir()\n"
        "pathlib.Path('file').write_text('')\n"
        "subprocess.run([sys.executable, '-c', 'open(\"of-a-child\", \"w\")'], check=True)\n"
    )
    subprocess.run([sys.executable, "-c", f"import os; os.umask(0)\n{code}"], cwd=tmp_path, check=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"folder": 0o700, "file": 0o600, "of-a-child": 0o600}
