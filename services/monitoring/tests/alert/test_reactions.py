"""When something is due to be judged."""

from datetime import UTC, datetime, timedelta

from letopis.monitoring.alert.reactions import Settling

START = datetime(2026, 11, 21, tzinfo=UTC)


def after(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def settling() -> Settling:
    return Settling(quiet=timedelta(seconds=2), every=timedelta(seconds=30))


class TestSettling:
    def test_waits_until_nothing_comes_any_more(self) -> None:
        waiting = settling()
        assert not waiting.due("m", 100, after(0))
        assert not waiting.due("m", 200, after(1))
        assert not waiting.due("m", 200, after(2))
        assert waiting.due("m", 200, after(3))

    def test_does_not_judge_the_same_twice(self) -> None:
        waiting = settling()
        waiting.due("m", 100, after(0))
        assert waiting.due("m", 100, after(5))
        waiting.judged("m", 100, after(5))
        assert not waiting.due("m", 100, after(500))
        assert waiting.last("m") == 100

    def test_does_not_wait_for_ever_for_a_stream_that_never_rests(self) -> None:
        waiting = settling()
        due = [second for second in range(90) if waiting.due("m", second, after(second))]
        assert due[0] == 30
        waiting.judged("m", 30, after(30))
        assert not waiting.due("m", 31, after(31))
        assert waiting.due("m", 60, after(60))

    def test_does_not_take_a_pause_for_the_end_while_more_is_known_to_come(self) -> None:
        waiting = settling()
        assert not waiting.due("m", 100, after(0), moving=True)
        assert not waiting.due("m", 100, after(10), moving=True)
        assert not waiting.due("m", 100, after(11))
        assert waiting.due("m", 100, after(12))
        assert waiting.due("m", 100, after(30), moving=True)

    def test_keeps_its_subjects_apart(self) -> None:
        waiting = settling()
        waiting.due("a", 1, after(0))
        assert not waiting.due("b", 1, after(5))
        assert waiting.due("a", 1, after(5))
