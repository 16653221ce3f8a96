"""SIGTERM and Ctrl-C: a wish that waits, unless it is urgent or unwanted."""

import os
import signal
import threading

import pytest

from keras_fmnist.training.interrupts import StopRequest, heed_sigterm


def send(number):
    os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def handlers():
    """The process's own, which each test must find again."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    after = [signal.getsignal(number) for number in numbers]
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
    assert after == before


def interrupted(*numbers):
    """How many of some signals passed before a wish to stop became an interrupt."""
    passed = 0
    try:
        with StopRequest() as wish:
            for number in numbers:
                send(number)
                assert wish.stop
                passed += 1
    except KeyboardInterrupt:
        return passed
    return None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_waits_and_interrupts_at_the_end_where_nobody_heeded_it(number):
    assert interrupted(number) == 1


def test_a_second_ctrl_c_interrupts_at_once():
    assert interrupted(signal.SIGINT, signal.SIGINT, signal.SIGINT) == 1
    assert interrupted(signal.SIGTERM, signal.SIGINT, signal.SIGTERM) == 1


def test_a_sigterm_after_ctrl_c_waits_as_a_study_sends_both():
    assert interrupted(signal.SIGINT, signal.SIGTERM, signal.SIGTERM) == 3


def test_without_a_signal_nothing_is_interrupted():
    with StopRequest() as wish:
        pass
    assert not wish.stop


def test_what_the_process_ignores_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with StopRequest() as wish:
        send(signal.SIGINT)
    signal.signal(signal.SIGINT, before)
    assert not wish.stop


def fail_after(number):
    send(number)
    raise ZeroDivisionError


def test_an_error_is_not_covered_by_the_wish():
    with pytest.raises(ZeroDivisionError), StopRequest():
        fail_after(signal.SIGTERM)


def test_another_thread_than_the_first_leaves_signals_alone():
    found = []

    def enter():
        with StopRequest():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


def test_sigterm_interrupts_once_it_is_heeded():
    before = signal.getsignal(signal.SIGTERM)
    heed_sigterm()
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
