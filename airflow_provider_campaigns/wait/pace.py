"""How fast a campaign gets on while it is sending, and when it will be through. Pure; the caller brings the clock."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from airflow_provider_campaigns.api.model import Campaign, CampaignStatus

#: A campaign rests (a night, the end of its hours) when nothing has moved for this long, and for so many times the
#: usual time between two moves. How long it rests says nothing about how fast it sends.
REST_SECONDS = 15 * 60.0
REST_SHARE = 6.0
#: So many moves tell what is usual.
MOVES_TO_KNOW = 3
#: A curve of progress has at most so many points; then every second one is dropped.
MOST_POINTS = 40


class Pace:
    """
    The rate of a campaign's progress over the time in which it is sending: without pauses, and without nights.

    The first progress of a running campaign is where it is measured from; progress that goes back begins anew.
    """

    __slots__ = ("_gained", "_moves", "_progress", "_running_at", "_spent", "_waited")

    def __init__(self) -> None:
        self._progress: float | None = None
        self._running_at: float | None = None
        self._gained = self._spent = self._waited = 0.0
        self._moves = 0

    def seen(self, campaign: Campaign, now: float) -> None:
        """Note what a look showed; looks come in the order of time."""
        running = campaign.status is CampaignStatus.RUNNING
        if self._running_at is not None:
            self._waited += max(0.0, now - self._running_at)
        self._running_at = now if running else None
        progress = campaign.progress
        if progress is None or (self._progress is None and not running):
            return
        if self._progress is None or progress < self._progress:
            self._gained = self._spent = self._waited = 0.0
            self._moves = 0
        elif progress > self._progress:
            self._spent += self._usual if self.is_resting else self._waited
            self._gained += progress - self._progress
            self._moves += 1
            self._waited = 0.0
        self._progress = progress

    @property
    def is_known(self) -> bool:
        """Whether it has moved often enough for a forecast to act on."""
        return self._moves >= MOVES_TO_KNOW

    @property
    def is_resting(self) -> bool:
        """Whether the vendor calls the campaign running, but nothing has moved for much longer than usual."""
        return self.is_known and self._waited > max(REST_SECONDS, REST_SHARE * self._usual)

    @property
    def rate(self) -> float | None:
        """Percent a minute of sending, or None as long as fewer than two different figures were seen."""
        late = 0.0 if self.is_resting else max(0.0, self._waited - self._usual)
        spent = self._spent + late
        return self._gained / (spent / 60) if self._gained > 0 and spent > 0 else None

    def seconds_left(self, goal: float = 100.0) -> float | None:
        """
        Return how many seconds of sending are left, or None where nobody can tell.

        :param goal: Percent.
        """
        rate = self.rate
        if rate is None or self._progress is None:
            return None
        return max(0.0, goal - self._progress) / rate * 60

    def ends_at(self, now: float, goal: float = 100.0) -> float | None:
        """Return when the goal will be reached if the campaign goes on sending; None while it does not send."""
        left = self.seconds_left(goal)
        return None if left is None or self._running_at is None or self.is_resting else now + left

    @property
    def _usual(self) -> float:
        return self._spent / self._moves if self._moves else 0.0

    def carried(self) -> list[float | None]:
        """Return what another process needs to go on, as plain JSON values."""
        return [self._progress, self._running_at, self._gained, self._spent, self._waited, float(self._moves)]

    def go_on(self, carried: Sequence[float | None]) -> None:
        """Go on where another process left off."""
        self._progress, self._running_at, gained, spent, waited, moves = carried
        self._gained, self._spent, self._waited = gained or 0.0, spent or 0.0, waited or 0.0
        self._moves = int(moves or 0)


class ProgressCurve:
    """
    Progress over time in few points, for a chart; small, since thousands of waits keep one each.

    :param now: When it begins, in seconds since the epoch.
    """

    __slots__ = ("_began", "_points")

    def __init__(self, now: float) -> None:
        self._began = int(now)
        #: Seconds since the beginning and percent, in turn.
        self._points = array("f")

    def add(self, progress: float | None, now: float) -> None:
        """Take a point in, if the progress is another than the last one's."""
        if progress is None or (self._points and abs(self._points[-1] - progress) < 0.01):
            return
        if len(self._points) >= 2 * MOST_POINTS:
            pairs = self.points()
            self._points = array("f", (value for at, part in pairs[::2] for value in (at - self._began, part)))
        self._points.extend((now - self._began, progress))

    def points(self) -> list[list[float]]:
        """Return the points: seconds since the epoch, and percent."""
        values = self._points
        return [[self._began + round(values[i]), round(values[i + 1], 2)] for i in range(0, len(values), 2)]

    def go_on(self, points: Sequence[Sequence[float]]) -> None:
        """Go on with the points of another process."""
        if points:
            self._began = int(points[0][0])
            self._points = array("f", (value for at, part in points for value in (at - self._began, part)))
