"""What was announced is remembered, in bounded memory; pure."""

from __future__ import annotations

import json

from airflow_provider_campaigns.watch.announcements import MARK_LENGTH, MOST_REMEMBERED, Announced


class TestAnnounced:
    @staticmethod
    def look(announced: Announced, there: range, on_the_way: range = range(0)) -> set[str]:
        for number in there:
            announced.take(str(number), reached=True)
        for number in on_the_way:
            announced.take(str(number), reached=False)
        news = announced.end_look()
        for campaign_id in news:
            announced.remember(campaign_id)
        return set(news)

    def test_what_is_remembered_stays_below_the_size_that_airflow_advises(self) -> None:
        announced = Announced(None)
        for start in range(0, 100_000, 1000):
            self.look(announced, range(start, start + 1000))
        assert len(json.dumps({"version": 1, "marks": announced.marks()})) < 65_535
        assert len(announced.marks()) == MARK_LENGTH * MOST_REMEMBERED

    def test_campaigns_that_left_the_list_long_ago_give_way_first(self) -> None:
        announced = Announced(None)
        self.look(announced, range(100))
        for start in range(1000, 1000 + 2 * MOST_REMEMBERED, 1000):
            assert self.look(announced, range(50)) == set()
            self.look(announced, range(start, start + 1000))
        assert self.look(announced, range(50)) == set()
        assert not announced.is_crowded

    def test_no_old_campaign_is_announced_where_more_have_finished_than_can_be_remembered(self) -> None:
        announced = Announced(None)
        old = range(MOST_REMEMBERED + 500)
        for _ in range(3):
            assert self.look(announced, old) == set()
        again = Announced(announced.marks())
        assert self.look(again, old) == set()
        assert again.is_crowded

    def test_among_too_many_those_seen_on_their_way_are_announced_once(self) -> None:
        announced = Announced(None)
        old, new = range(MOST_REMEMBERED + 500), range(10**6, 10**6 + 3)
        assert self.look(announced, old, new) == set()
        both = [*old, *new]
        assert self.look(announced, both) == set(map(str, new))  # type: ignore[arg-type]
        assert self.look(announced, both) == set()  # type: ignore[arg-type]

    def test_a_campaign_that_began_and_finished_between_two_looks_is_announced(self) -> None:
        announced = Announced(None)
        self.look(announced, range(3))
        assert self.look(announced, range(4)) == {"3"}
