"""Which version a person is asked for, and why others are not."""

from include.nacre.registry.candidate import Finding, chosen, find_candidate, older
from include.nacre.registry.version import APPROVED, REJECTED
from tests.unit.registry.made import version

OLD, NEW, NEWEST = "2026-11-01", "2026-11-02", "2026-11-03"


def test_the_pending_version_is_the_candidate_beside_the_champion() -> None:
    waiting, champion = version(2, NEW), version(1, OLD, APPROVED)
    assert find_candidate([waiting], champion) == Finding(waiting, champion)


def test_of_several_the_one_with_the_newest_data_is_asked_for() -> None:
    versions = [version(4, NEW), version(3, OLD), version(2, NEWEST)]
    assert find_candidate(versions, None) == Finding(
        versions[2],
        None,
        ("abalone/3, abalone/4: pending, as abalone/2 (data until 2026-11-03) is asked for",),
    )


def test_of_two_of_one_date_the_later_one_is_asked_for() -> None:
    versions = [version(3, NEW), version(2, NEW)]
    assert find_candidate(versions, None).candidate == versions[0]


def test_without_a_pending_version_there_is_nothing_to_ask() -> None:
    champion = version(1, OLD, APPROVED)
    assert find_candidate([], champion) == Finding(None, champion, ("no version is pending",))


def test_versions_with_older_data_than_the_champions_stay_pending() -> None:
    champion = version(2, NEW, APPROVED)
    assert find_candidate([version(4, OLD), version(3, OLD)], champion) == Finding(
        None,
        champion,
        ("abalone/3, abalone/4: pending, as abalone/2 (data until 2026-11-02) is in production",),
    )


def test_the_champions_date_done_again_is_a_candidate() -> None:
    again, champion = version(3, NEW), version(2, NEW, APPROVED)
    assert find_candidate([again], champion).candidate == again


def test_data_without_dates_is_neither_older_nor_newer() -> None:
    dated, undated = version(1, OLD), version(2)
    assert [older(dated, undated), older(undated, dated), older(undated, undated)] == [False] * 3
    assert find_candidate([undated, dated], None).candidate == undated
    assert find_candidate([version(3, OLD), undated], None).candidate == version(3, OLD)


def test_data_without_dates_does_not_hide_that_other_data_is_older() -> None:
    versions = [version(1, NEWEST), version(2), version(3, OLD)]
    assert find_candidate(versions, None).candidate == versions[1]


def test_a_date_that_is_none_is_no_newer_than_a_date() -> None:
    odd, dated = version(1, "latest"), version(2, NEW)
    assert (odd.data_until, find_candidate([odd, dated], None).candidate) == ("", dated)
    champion = version(1, "latest", APPROVED)
    assert find_candidate([dated], champion).candidate == dated


def test_a_note_names_no_more_than_a_person_reads() -> None:
    (note,) = find_candidate([version(number, OLD) for number in range(1, 16)], None).notes
    assert note.startswith("4 older ones, abalone/5, abalone/6, ")
    assert note.endswith("abalone/14: pending, as abalone/15 (data until 2026-11-01) is asked for")


def test_a_person_may_name_a_version_with_older_data_or_a_rejected_one() -> None:
    champion = version(3, NEWEST, APPROVED)
    for named in (version(1, OLD), version(2, NEW, REJECTED)):
        assert chosen(named, champion) == Finding(named, champion)


def test_a_version_that_is_approved_leaves_nothing_to_ask() -> None:
    champion = version(1, OLD, APPROVED, approval="Approved by Ada")
    assert chosen(champion, champion) == Finding(
        None, champion, ("abalone/1 is Approved already (Approved by Ada)",)
    )
