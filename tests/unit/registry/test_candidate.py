"""Which version a person is asked for, and why others are not."""

from include.nacre.registry.candidate import Finding, chosen, find_candidate, older
from include.nacre.registry.version import APPROVED, REJECTED
from tests.unit.registry.made import version

OLD, NEW, NEWEST = "2026-11-01", "2026-11-02", "2026-11-03"


def test_the_version_that_was_registered_is_the_candidate() -> None:
    registered, champion = version(2, NEW), version(1, OLD, APPROVED)
    found = find_candidate([registered], [registered], champion)
    assert found == Finding(registered, champion)


def test_of_several_that_were_registered_the_one_with_the_newest_data_is_asked_for() -> None:
    versions = [version(2, NEWEST), version(3, OLD), version(4, NEW)]
    found = find_candidate(versions, versions, None)
    behind = "stays pending: abalone/2 (data until 2026-11-03) waits for approval, too"
    assert (found.candidate, found.notes) == (
        versions[0],
        (f"abalone/3 (data until {OLD}) {behind}", f"abalone/4 (data until {NEW}) {behind}"),
    )


def test_of_two_of_one_date_the_later_one_is_asked_for() -> None:
    versions = [version(2, NEW), version(3, NEW)]
    assert find_candidate(versions, versions, None).candidate == versions[1]


def test_where_none_is_named_the_newest_that_waits_is_asked_for() -> None:
    waiting = [version(3, OLD), version(2, NEW)]
    assert find_candidate([], waiting, None).candidate == waiting[1]


def test_without_a_pending_version_there_is_nothing_to_ask() -> None:
    champion = version(1, OLD, APPROVED)
    assert find_candidate([], [], champion) == Finding(None, champion, ("no version is pending",))


def test_what_somebody_has_decided_on_meanwhile_is_not_asked_for() -> None:
    decided = version(2, NEW, REJECTED, approval="Rejected by Ada: no")
    found = find_candidate([decided], [], None)
    assert found == Finding(None, None, ("abalone/2 is Rejected already (Rejected by Ada: no)",))


def test_a_version_waits_behind_a_pending_one_with_newer_data() -> None:
    backfilled, rival = version(3, OLD), version(2, NEW)
    found = find_candidate([backfilled], [backfilled, rival], None)
    assert (found.candidate, len(found.notes)) == (None, 1)
    assert "abalone/3 (data until 2026-11-01) stays pending: abalone/2" in found.notes[0]


def test_a_version_with_older_data_than_the_champions_stays_pending() -> None:
    backfilled, champion = version(3, OLD), version(2, NEW, APPROVED)
    why = f"abalone/2 (data until {NEW}) is in production"
    assert find_candidate([backfilled], [backfilled], champion) == Finding(
        None, champion, (f"abalone/3 (data until {OLD}) stays pending: {why}",)
    )


def test_the_champions_date_done_again_is_a_candidate() -> None:
    again, champion = version(3, NEW), version(2, NEW, APPROVED)
    assert find_candidate([again], [again], champion).candidate == again


def test_data_without_dates_is_neither_older_nor_newer() -> None:
    dated, undated = version(1, OLD), version(2)
    assert [older(dated, undated), older(undated, dated), older(undated, undated)] == [False] * 3
    assert find_candidate([undated], [dated, undated], None).candidate == undated


def test_a_person_may_name_a_version_with_older_data_or_a_rejected_one() -> None:
    champion = version(3, NEWEST, APPROVED)
    for named in (version(1, OLD), version(2, NEW, REJECTED)):
        assert chosen(named, champion) == Finding(named, champion)


def test_a_version_that_is_approved_leaves_nothing_to_ask() -> None:
    champion = version(1, OLD, APPROVED, approval="Approved by Ada")
    assert chosen(champion, champion) == Finding(
        None, champion, ("abalone/1 is Approved already (Approved by Ada)",)
    )
